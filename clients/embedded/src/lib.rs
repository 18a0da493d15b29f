//! Makes Gatewright's decisions in process.
//!
//! A [`DecisionPoint`] follows an account's journal over a stream from a server, and decides from
//! memory: in microseconds, with the server's own policy engine, and for a bounded time also
//! without the server. It decides requests of the account's service accounts and users, on
//! resources of the account. Its service account needs the action `account:apiovh:iam/replica/get`.

#![allow(clippy::disallowed_methods, reason = "a client library: its caller passes no clock in")]

mod follow;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use follow::Settings;
use follow::Snapshot;
pub use gatewright_policy::{Environment, Instant, Region, ReplicaRequest, ResourceUrn, Scope};

/// The error that the server has not been reached for too long, so that no decision can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has not been reached for too long: there is no decision")]
pub struct Stale;

/// A decision with its revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// True if the request is allowed.
    pub allowed: bool,
    /// The revision of the account that the decision is based on.
    pub revision: i64,
}

/// A policy decision point in this process. Dropping it stops following.
pub struct DecisionPoint {
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    reached: watch::Receiver<i64>,
    offline: Duration,
    following: JoinHandle<()>,
}

impl Drop for DecisionPoint {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl DecisionPoint {
    /// Starts to follow. Must be called inside a tokio runtime. Until the account is loaded, every
    /// decision is [`Stale`].
    pub fn open(settings: Settings) -> Self {
        let snapshot = Arc::new(ArcSwapOption::empty());
        let (reaching, reached) = watch::channel(-1);
        let offline = settings.offline;
        let following = tokio::spawn(follow::follow(settings, Arc::clone(&snapshot), reaching));
        Self { snapshot, reached, offline, following }
    }

    /// Decides a request, unless the snapshot is stale.
    pub fn decide(&self, request: &ReplicaRequest<'_>) -> Result<Answer, Stale> {
        let snapshot = self.snapshot.load();
        let snapshot = snapshot.as_ref().filter(|snapshot| snapshot.at.elapsed() <= self.offline);
        let replica = &snapshot.ok_or(Stale)?.replica;
        let allowed = replica.decide(request).is_some_and(|decision| decision.is_allowed());
        Ok(Answer { allowed, revision: replica.revision().number() })
    }

    /// Waits until a revision of the account is followed (read-your-writes consistency).
    pub async fn wait_for_revision(&self, revision: i64, within: Duration) -> Result<(), Stale> {
        let mut reached = self.reached.clone();
        let reaching = reached.wait_for(|now| *now >= revision);
        match tokio::time::timeout(within, reaching).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Stale),
        }
    }
}

/// Returns the current time, for the environment of a request.
pub fn now() -> Instant {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::EPOCH.saturating_add(elapsed)
}
