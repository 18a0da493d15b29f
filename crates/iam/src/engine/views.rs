//! Loads and renews the views of the accounts in use: bounded in number, and never behind a change
//! that was acknowledged here.
//!
//! Invariants:
//! - A view is published only when it was renewed whole; where that fails it is dropped.
//! - Memory is trusted only while the node is not stale; a stale node asks the database or refuses.
//! - One task renews an account at a time.
//! - A cached owner of a resource holds for one count of moves, which is read before the
//!   database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gatewright_policy::{AccountName, ClientId, Region, Revision};
use gatewright_store::{Act, Change, Entry, Kind, Store};
use quick_cache::sync::Cache;
use tokio::sync::futures::Notified;
use tokio::sync::{Mutex, Notify};
use tokio::task::spawn_blocking;

use crate::catalogue::index::Catalogue;
use crate::engine::view::{View, properties, read_all};
use crate::model::document::Reflection;
use crate::model::error::IamError;
use crate::sources::Sources;

/// The maximum number of rows in one fetch.
const CHUNK: i64 = 5_000;

/// The maximum number of fetched chunks that wait to be parsed.
const READING_AT_ONCE: usize = 4;

/// Maximum time since the last heartbeat, after which a node is stale and does not trust its
/// memory.
const STALE_AFTER: Duration = Duration::from_secs(1);

/// Stands for the time of the last heartbeat before the first one.
const NEVER: u64 = 0;

/// Stands for the time of the last heartbeat on a database that no other node uses.
const NO_PEERS: u64 = u64::MAX;

/// The view of one account, with the lock of its renewal.
#[derive(Default)]
struct Slot {
    view: ArcSwapOption<View>,
    turn: Mutex<()>,
}

/// The owner of a resource, as it was known at one count of moves.
#[derive(Clone)]
struct Owner {
    moves: u64,
    account: Option<AccountName>,
}

pub(crate) struct Views {
    pub(crate) store: Store,
    sources: Sources,
    region: Region,
    catalogue: Arc<Catalogue>,
    slots: Cache<AccountName, Arc<Slot>>,
    owners: Cache<Box<str>, Owner>,
    /// Accounts of clients: a client stays with its account for as long as it exists.
    clients: Cache<ClientId, AccountName>,
    /// The number of changes that created or deleted a resource: it invalidates cached owners.
    moves: AtomicU64,
    /// Notifies of a view that was renewed.
    renewed: Notify,
    /// Notifies of a change on another node.
    pub(crate) changed_elsewhere: Notify,
    /// The time of the last heartbeat by the monotonic clock, in microseconds; or one of [`NEVER`]
    /// and [`NO_PEERS`].
    last_heartbeat: AtomicU64,
}

impl Views {
    pub(crate) fn new(
        store: Store,
        sources: Sources,
        region: Region,
        catalogue: Arc<Catalogue>,
        most: usize,
    ) -> Self {
        Self {
            store,
            sources,
            region,
            catalogue,
            slots: Cache::new(most),
            owners: Cache::new(100_000),
            clients: Cache::new(100_000),
            moves: AtomicU64::new(0),
            renewed: Notify::new(),
            changed_elsewhere: Notify::new(),
            last_heartbeat: AtomicU64::new(NO_PEERS),
        }
    }

    /// Returns the current view of an account.
    ///
    /// It is served from memory, as long as this node receives changes; a stale node asks the
    /// database each time, and fails when it gets no answer.
    pub(crate) async fn get(&self, account: &AccountName) -> Result<Arc<View>, IamError> {
        match self.in_memory(account.as_str()) {
            Some(view) => Ok(view),
            // Boxed, since the future is large and rarely needed.
            None => Box::pin(self.read_through(account)).await,
        }
    }

    /// Returns the current view of the account that a request names; a view in memory is found
    /// without an allocation.
    pub(crate) async fn get_named(&self, name: &str) -> Result<Arc<View>, IamError> {
        match self.in_memory(name) {
            Some(view) => Ok(view),
            None => Box::pin(self.read_through(&AccountName::new(name))).await,
        }
    }

    /// Returns the view of an account in memory, if there is one and it can be trusted.
    fn in_memory(&self, name: &str) -> Option<Arc<View>> {
        let view = self.slots.get(name)?.view.load_full()?;
        (!self.is_stale()).then_some(view)
    }

    async fn read_through(&self, account: &AccountName) -> Result<Arc<View>, IamError> {
        let make = || Ok::<_, IamError>(Arc::default());
        let slot = self.slots.get_or_insert_with(account, make)?;
        self.renew(account, &slot, (&[], &[])).await
    }

    /// Returns the account that owns a resource, by its canonical URN; none when it is not
    /// registered.
    pub(crate) async fn owner_of(&self, urn: &str) -> Result<Option<AccountName>, IamError> {
        let moves = self.moves.load(Ordering::Acquire);
        if !self.is_stale()
            && let Some(owner) = self.owners.get(urn)
            && owner.moves == moves
        {
            return Ok(owner.account);
        }
        let found = self.store.object_of_any_account(Kind::Resource, urn).await?;
        let account = found.map(|resource| resource.account);
        self.owners.insert(urn.into(), Owner { moves, account: account.clone() });
        Ok(account)
    }

    /// Returns the account that a client belongs to, or belonged to before it was deleted.
    pub(crate) async fn account_of_client(
        &self,
        id: &ClientId,
    ) -> Result<Option<AccountName>, IamError> {
        if let Some(account) = self.clients.get(id) {
            return Ok(Some(account));
        }
        let Some(found) = self.store.object_of_any_account(Kind::Client, id.as_str()).await? else {
            return Ok(None);
        };
        let account = found.account;
        self.clients.insert(id.clone(), account.clone());
        Ok(Some(account))
    }

    /// Applies changes that were just committed on this node, before they are acknowledged.
    pub(crate) async fn apply_committed(
        &self,
        account: &AccountName,
        entries: &[Entry],
        changes: &[Change],
    ) -> Result<(), IamError> {
        if entries.iter().any(moves_a_resource) {
            self.resources_moved();
        }
        let Some(slot) = self.slots.get(account) else {
            return Ok(());
        };
        self.renew(account, &slot, (entries, changes)).await.map(drop)
    }

    /// Refreshes the view of an account, if it is loaded; drops it if that fails.
    pub(crate) async fn refresh(&self, account: &AccountName) -> Result<(), IamError> {
        let Some(slot) = self.slots.get(account) else {
            return Ok(());
        };
        self.renew(account, &slot, (&[], &[])).await.map(drop)
    }

    pub(crate) fn resources_moved(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// Refreshes all views, as after a time in which notifications may have been lost.
    pub(crate) async fn refresh_all(&self) -> Result<(), IamError> {
        self.resources_moved();
        let accounts: Vec<AccountName> = self.slots.iter().map(|(account, _)| account).collect();
        for account in accounts {
            self.refresh(&account).await?;
        }
        Ok(())
    }

    /// Returns whether the view in memory has reached the revision, or is not loaded.
    pub(crate) fn has_reached(&self, account: &AccountName, revision: Revision) -> bool {
        let view = self.slots.peek(account).and_then(|slot| slot.view.load_full());
        view.is_none_or(|view| view.revision >= revision)
    }

    /// Returns the revision of the account that is in memory.
    pub(crate) fn revision(&self, account: &AccountName) -> Option<Revision> {
        let slot = self.slots.peek(account)?;
        slot.view.load().as_ref().map(|view| view.revision)
    }

    /// Waits for the next renewal of a view, counted from this call.
    pub(crate) fn renewed(&self) -> Notified<'_> {
        self.renewed.notified()
    }

    /// Waits for the next change on another node, in any account.
    pub(crate) async fn changed_elsewhere(&self) {
        self.changed_elsewhere.notified().await;
    }

    /// Advances the view to a revision, from the database where memory is behind. Returns whether
    /// the revision exists.
    pub(crate) async fn advance_to(
        &self,
        account: &AccountName,
        revision: Revision,
    ) -> Result<bool, IamError> {
        if self.get(account).await?.revision >= revision {
            return Ok(true);
        }
        // The owners of resources are cached apart from the view.
        self.resources_moved();
        self.refresh(account).await?;
        Ok(self.get(account).await?.revision >= revision)
    }

    /// Declares that other nodes exist: memory is stale until the first heartbeat.
    pub(crate) fn expect_peers(&self) {
        self.last_heartbeat.store(NEVER, Ordering::Release);
    }

    /// Records a heartbeat, once everything before it is applied.
    pub(crate) fn record_heartbeat(&self) {
        let now = self.monotonic_micros().clamp(NEVER + 1, NO_PEERS - 1);
        self.last_heartbeat.store(now, Ordering::Release);
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.sources.monotonic().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_stale(&self) -> bool {
        match self.last_heartbeat.load(Ordering::Acquire) {
            NO_PEERS => false,
            NEVER => true,
            last => {
                let age = self.monotonic_micros().saturating_sub(last);
                Duration::from_micros(age) > STALE_AFTER
            }
        }
    }

    /// Loads the view, or applies the entries since: those just committed here, where they are the
    /// next that the view needs, or else those that the journal has beyond it.
    async fn renew(
        &self,
        account: &AccountName,
        slot: &Slot,
        (entries, changes): (&[Entry], &[Change]),
    ) -> Result<Arc<View>, IamError> {
        let _turn = slot.turn.lock().await;
        let there = slot.view.load_full();
        let renewed = match &there {
            None => self.load(account).await,
            Some(view) if follows(view, entries) => apply(view, entries, changes),
            Some(view) => self.apply_journal(account, view).await,
        };
        match renewed {
            Ok(view) => {
                slot.view.store(Some(Arc::clone(&view)));
                self.renewed.notify_waiters();
                Ok(view)
            }
            Err(error) => {
                // A view that cannot be renewed must not answer any request.
                slot.view.store(None);
                self.slots.remove(account);
                Err(error)
            }
        }
    }

    async fn load(&self, account: &AccountName) -> Result<Arc<View>, IamError> {
        let revision = self.store.revision(account).await?.ok_or(IamError::NotFound)?;
        let mut view = View::new(account.clone(), self.region, &self.catalogue)?;
        let (mut after, mut more) = (Revision::ZERO, true);
        // Rows are fetched while earlier ones are parsed on other threads.
        let mut reading = VecDeque::new();
        while more || !reading.is_empty() {
            if more {
                let objects = self.store.objects(account, after, CHUNK).await?;
                more = objects.len() == usize::try_from(CHUNK).unwrap_or(usize::MAX);
                after = objects.last().map_or(after, |last| last.created);
                let region = self.region;
                reading.push_back(spawn_blocking(move || read_all(objects, region)));
            }
            if !more || reading.len() > READING_AT_ONCE {
                let Some(chunk) = reading.pop_front() else { break };
                for insert in chunk.await.map_err(IamError::internal)?? {
                    insert(&mut view)?;
                }
            }
        }
        // Changes made while the rows were read are applied again; an entry holds a whole object,
        // so it may have been in the rows already.
        view.revision = revision;
        self.apply_journal(account, &Arc::new(view)).await
    }

    async fn apply_journal(
        &self,
        account: &AccountName,
        view: &Arc<View>,
    ) -> Result<Arc<View>, IamError> {
        let mut view = Arc::clone(view);
        loop {
            let entries = self.store.journal(account, view.revision, CHUNK).await?;
            if entries.is_empty() {
                return Ok(view);
            }
            let mut next = View::clone(&view);
            for entry in &entries {
                // The journal holds no secret, and does not say that one was replaced.
                let secret = if properties(entry.kind).secret_is_held && entry.after.is_some() {
                    let object = self.store.object(account, entry.kind, &entry.object).await?;
                    object.and_then(|object| object.secret)
                } else {
                    None
                };
                next.apply(entry, secret)?;
            }
            view = Arc::new(next);
        }
    }
}

/// Returns whether the entries are the next that a view needs.
fn follows(view: &View, entries: &[Entry]) -> bool {
    entries.first().is_some_and(|first| first.revision == view.revision.next())
}

/// Applies entries that were just committed, one for each of the changes; returns the new view.
fn apply(view: &View, entries: &[Entry], changes: &[Change]) -> Result<Arc<View>, IamError> {
    let mut next = view.clone();
    for (entry, change) in entries.iter().zip(changes) {
        let secret = match &change.act {
            Act::Create { secret, .. } | Act::Update { secret, .. } => secret.clone(),
            Act::Delete => None,
        };
        next.apply(entry, secret)?;
    }
    Ok(Arc::new(next))
}

fn moves_a_resource(entry: &Entry) -> bool {
    properties(entry.kind).reflection == Reflection::ResourceOwners
        && (entry.before.is_none() || entry.after.is_none())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;

    use gatewright_policy::Instant;
    use gatewright_store::{Author, Store};
    use gatewright_testing::TestDatabase;

    use super::*;
    use crate::model::client::{ClientDocument, ClientInput, Flow};
    use crate::model::document::{Document, Place};
    use crate::model::group::{GroupDocument, Role};
    use crate::model::resource::ResourceDocument;
    use crate::sources::{Clock, Randomness};

    static ACCOUNT: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("xx1-ovh"));

    fn author() -> Author {
        Author { actor: "test".to_owned(), ip: None, query_id: String::new(), at: Instant::EPOCH }
    }

    fn place(id: &str) -> Place<'_> {
        Place { region: Region::Eu, account: &ACCOUNT, id }
    }

    fn views(store: &Store) -> Views {
        views_by(store, Sources::system())
    }

    fn views_by(store: &Store, sources: Sources) -> Views {
        Views::new(store.clone(), sources, Region::Eu, Arc::default(), 10)
    }

    /// A monotonic clock that a test sets, in microseconds.
    struct TestClock(AtomicU64);

    impl Clock for TestClock {
        fn now(&self) -> Instant {
            Instant::EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_micros(self.0.load(Ordering::Relaxed))
        }
    }

    /// A source that nothing may draw from.
    struct NoRandomness;

    impl Randomness for NoRandomness {
        fn fill(&self, _: &mut [u8]) -> Result<(), IamError> {
            Err(IamError::NotFound)
        }

        fn number(&self) -> u128 {
            0
        }
    }

    #[tokio::test]
    async fn a_view_is_not_served_from_memory_once_the_last_heartbeat_is_too_old() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let clock = Arc::new(TestClock(AtomicU64::new(5_000_000)));
        let views = views_by(&store, Sources::new(clock.clone(), Arc::new(NoRandomness)));
        let revision = async || views.get(&ACCOUNT).await.unwrap().revision();
        views.expect_peers();
        let first = revision().await;
        let resource = ResourceDocument {
            display_name: "a".to_owned(),
            tags: BTreeMap::new(),
            created_at: Instant::EPOCH,
        };
        let change = |urn: &str| [resource.create(place(urn), None).unwrap()];
        let (one, other) = ("urn:v1:eu:resource:vps:a", "urn:v1:eu:resource:vps:b");
        store.write(&ACCOUNT, &author(), &change(one)).await.unwrap();
        assert_eq!(revision().await, first.next(), "there was no heartbeat yet");

        views.record_heartbeat();
        store.write(&ACCOUNT, &author(), &change(other)).await.unwrap();
        let limit = u64::try_from(STALE_AFTER.as_micros()).unwrap();
        clock.0.fetch_add(limit, Ordering::Relaxed);
        assert_eq!(revision().await, first.next(), "memory is trusted up to the limit");
        clock.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(revision().await, first.next().next());

        store.close().await;
        assert!(views.get(&ACCOUNT).await.is_err(), "a stale node refuses without its database");
    }

    #[tokio::test]
    async fn a_view_is_the_same_whether_changes_are_applied_or_loaded() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let (here, elsewhere) = (views(&store), views(&store));
        for views in [&here, &elsewhere] {
            assert_eq!(views.get(&ACCOUNT).await.unwrap().clients.len(), 0);
        }
        let input = ClientInput {
            name: "a".to_owned(),
            description: "b".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let (one, other) = ("urn:v1:eu:resource:vps:a", "urn:v1:eu:resource:vps:b");
        let resource = ResourceDocument {
            display_name: "a".to_owned(),
            tags: BTreeMap::new(),
            created_at: Instant::EPOCH,
        };
        let client = input.document(Instant::EPOCH).unwrap();
        let Act::Create { content, .. } = client.create(place("EU.1"), None).unwrap().act else {
            panic!("a client is created by another change");
        };
        let act = Act::Update { from: content.document.clone(), content, secret: Some(vec![9]) };
        let new_secret = Change { kind: Kind::Client, id: "EU.1".to_owned(), act };
        let batches = [
            vec![
                client.create(place("EU.1"), Some(vec![1, 2])).unwrap(),
                client.create(place("EU.2"), Some(vec![3])).unwrap(),
            ],
            vec![resource.create(place(one), None).unwrap()],
            vec![
                ClientDocument::delete("EU.2"),
                resource.create(place(other), None).unwrap(),
                ResourceDocument::delete(one),
            ],
            vec![new_secret],
        ];
        for changes in batches {
            let entries = store.write(&ACCOUNT, &author(), &changes).await.unwrap();
            here.apply_committed(&ACCOUNT, &entries, &changes).await.unwrap();
        }
        elsewhere.refresh(&ACCOUNT).await.unwrap();
        for views in [&here, &elsewhere, &views(&store)] {
            let view = views.get(&ACCOUNT).await.unwrap();
            assert_eq!(view.revision(), store.revision(&ACCOUNT).await.unwrap().unwrap());
            assert_eq!(view.clients.ids().collect::<Vec<_>>(), ["EU.1"]);
            assert_eq!(*view.clients.get("EU.1").unwrap().secret, [9]);
            assert_eq!(view.resources.ids().collect::<Vec<_>>(), [other]);
        }
    }

    #[tokio::test]
    async fn an_account_with_a_role_that_cannot_be_decided_by_is_not_answered_for() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let views = views(&store);
        views.get(&ACCOUNT).await.unwrap();
        let group = GroupDocument {
            name: "not a name".to_owned(),
            description: None,
            role: Role::Admin,
            created_at: Instant::EPOCH,
            updated_at: Instant::EPOCH,
        };
        let changes = [group.create(place("xx1-ovh/not a name"), None).unwrap()];
        let entries = store.write(&ACCOUNT, &author(), &changes).await.unwrap();
        let applied = views.apply_committed(&ACCOUNT, &entries, &changes).await;
        assert!(matches!(applied, Err(IamError::Internal(_))), "{applied:?}");
        assert!(matches!(views.get(&ACCOUNT).await, Err(IamError::Internal(_))));
    }
}
