//! Follows the changes that others commit in the database: other nodes, and the operator's commands.
//!
//! Invariants:
//! - A heartbeat is recorded only after all notices before it, and after a new connection only once
//!   all views have been verified.
//! - A generation that is not the one that is remembered drops everything that is remembered.

use std::sync::Arc;
use std::time::Duration;

use gatewright_store::{
    CauseChain, Generation, HeartbeatSender, Installation, Listener, Notice, Replacement,
    StoreError,
};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::engine::tokens::Tokens;
use crate::engine::views::Views;
use crate::model::error::IamError;
use crate::sources::Sources;

/// Maximum time without a notice, after which a node listens anew.
const SILENCE: Duration = Duration::from_secs(3);

/// The pause before a node listens anew after a failure.
const PAUSE: Duration = Duration::from_millis(250);

/// The number of tasks that renew views which are behind.
const RENEWERS: usize = 4;

/// Follows the changes in the database, and renews the memory that depends on them.
pub(crate) struct Follower {
    node: String,
    sources: Sources,
    views: Arc<Views>,
    tokens: Arc<Tokens>,
}

impl Follower {
    /// Creates the follower of a node with a random name.
    pub(crate) fn new(
        sources: Sources,
        views: Arc<Views>,
        tokens: Arc<Tokens>,
    ) -> Result<Self, IamError> {
        let node = hex::encode(sources.bytes::<8>()?);
        Ok(Self { node, sources, views, tokens })
    }

    /// Starts the tasks that follow, and waits for the first heartbeat; fails when the first connection
    /// does.
    pub(crate) async fn start(self) -> Result<Vec<JoinHandle<()>>, IamError> {
        let (mut sender, mut listener) = self.views.store.listen(&self.node).await?;
        self.send_heartbeat(&mut sender).await?;
        while !matches!(self.next_notice(&mut listener).await?, Notice::Heartbeat(_)) {}
        let mut tasks = Vec::new();
        for _ in 0..RENEWERS {
            tasks.push(tokio::spawn(Arc::clone(&self.views).renew_behind()));
        }
        tasks.push(tokio::spawn(self.run(sender, listener)));
        Ok(tasks)
    }

    async fn run(self, sender: HeartbeatSender, listener: Listener) {
        let mut next = Some((sender, listener));
        let mut last_warning = String::new();
        loop {
            let failure = if let Some((sender, listener)) = next.take() {
                self.follow(sender, listener).await
            } else {
                sleep(PAUSE).await;
                match self.listen().await {
                    Ok(followed) => {
                        next = Some(followed);
                        continue;
                    }
                    Err(error) => error,
                }
            };
            let was_listening = self.views.lose_notices();
            if matches!(failure, IamError::Unavailable(StoreError::LostChanges)) {
                self.views.lose_changes();
            }
            // A failure that lasts is told once.
            let warning = CauseChain(&failure).to_string();
            if warning == last_warning && !was_listening {
                tracing::debug!(error = warning, "still not listening to the database");
            } else {
                tracing::warn!(error = warning, "cannot listen to the database; reading through");
                last_warning = warning;
            }
        }
    }

    /// Listens to the database anew. Another file in its place has another past, and may have no
    /// identity yet.
    async fn listen(&self) -> Result<(HeartbeatSender, Listener), IamError> {
        let store = &self.views.store;
        if store.open_replacement().await? == Replacement::Other {
            self.views.lose_changes();
        }
        store.installation(&new_installation(&self.sources)?).await?;
        Ok(store.listen(&self.node).await?)
    }

    /// Follows until that fails. The connections end with it: a database that is being closed waits
    /// for them.
    async fn follow(&self, mut sender: HeartbeatSender, mut listener: Listener) -> IamError {
        tokio::select! {
            failure = self.send_heartbeats(&mut sender) => failure,
            failure = self.apply_notices(&mut listener) => failure,
        }
    }
}

impl Follower {
    /// Sends heartbeats until one fails.
    async fn send_heartbeats(&self, sender: &mut HeartbeatSender) -> IamError {
        let mut interval = interval(sender.interval());
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if let Err(error) = self.send_heartbeat(sender).await {
                return error;
            }
        }
    }

    /// Sends a heartbeat, and acts on what it reads.
    async fn send_heartbeat(&self, sender: &mut HeartbeatSender) -> Result<(), IamError> {
        let state = sender.send(self.views.now()).await?;
        self.tokens.observe_keys((state.keys, state.newest_key));
        if self.views.observe_generation(state.generation) {
            begin_generation(&self.views, &self.sources, state.generation).await?;
        }
        Ok(())
    }

    /// Verifies all views, then applies notices until that fails.
    async fn apply_notices(&self, listener: &mut Listener) -> IamError {
        if let Err(error) = self.views.verify_all().await {
            return error;
        }
        loop {
            if let Err(error) = self.next_notice(listener).await {
                return error;
            }
        }
    }

    /// Waits for a notice and applies it.
    async fn next_notice(&self, listener: &mut Listener) -> Result<Notice, IamError> {
        let silence = |_| IamError::from(StoreError::Silent(SILENCE));
        let notice = timeout(SILENCE, listener.next()).await.map_err(silence)??;
        match &notice {
            Notice::Changed(change) => self.views.observe_change(change),
            Notice::Keys => self.tokens.keys_changed(),
            Notice::Heartbeat(sent) => self.views.record_heartbeat(*sent),
        }
        Ok(notice)
    }
}

/// Begins a new generation of the database after another, unless a node has begun one already.
pub(crate) async fn begin_generation(
    views: &Views,
    sources: &Sources,
    from: Generation,
) -> Result<(), IamError> {
    let new = Generation::new(u64::from_be_bytes(sources.bytes()?));
    let now = views.store.begin_generation(from, new).await?;
    views.observe_generation(now);
    Ok(())
}

/// Generates the identity of a database that has none.
pub(crate) fn new_installation(sources: &Sources) -> Result<Installation, IamError> {
    let id = hex::encode(sources.bytes::<16>()?);
    let generation = Generation::new(u64::from_be_bytes(sources.bytes()?));
    Ok(Installation { id, generation })
}
