//! Holds the views of the accounts in use in memory: bounded in number, and never behind a change
//! that was acknowledged here.
//!
//! Invariants:
//! - A view is published only when it was renewed whole; where that fails it is dropped.
//! - Memory is trusted only while the node is not stale, and a view only while it is not behind a
//!   notice for long; else the database is asked, or the request is refused.
//! - Memory belongs to one generation of the database. When the database turns out to have lost
//!   changes, all of it is dropped, and a new generation begins.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use gatewright_policy::{AccountName, ClientId, Region, Revision};
use gatewright_store::{ChangeNotice, Generation, Store};
use quick_cache::sync::Cache;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::catalogue::index::Catalogue;
use crate::engine::credential_lookups::CredentialLookups;
use crate::engine::freshness::{Freshness, Lag, micros};
use crate::engine::view::View;
use crate::engine::weight::{ByBytes, Weighed};
use crate::model::caller::Principal;
use crate::sources::Sources;

/// The metric of the times that the database was found to have lost changes.
const LOST_CHANGES: &str = "gatewright_database_lost_changes_total";

/// The estimated number of entries of a cache.
const MANY: usize = 100_000;

/// The memory for owners of resources, in bytes. What anybody asks about is remembered, registered or
/// not.
pub(crate) const OWNERS_BYTES: u64 = 16 * 1024 * 1024;

/// The memory for principals of clients, in bytes.
pub(crate) const CLIENTS_BYTES: u64 = 64 * 1024 * 1024;

/// The view of one account, with the lock of its renewal.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) view: ArcSwapOption<View>,
    /// The number of the last renewal that succeeded; it is held while the view is renewed.
    pub(super) turn: tokio::sync::Mutex<u64>,
    /// The number of renewals that have begun.
    pub(super) renewals: AtomicU64,
    /// The number of renewals that failed since the database did not answer.
    pub(super) failures: AtomicU64,
    pub(super) lag: Lag,
}

/// The owner of a resource, as it was known at one count of moves.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) moves: u64,
    pub(super) account: Option<AccountName>,
}

impl Weighed for Owner {
    fn held(&self) -> usize {
        self.account.as_ref().map_or(0, |account| account.as_str().len())
    }
}

pub(crate) struct Views {
    pub(crate) store: Store,
    sources: Sources,
    pub(super) region: Region,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) slots: Cache<AccountName, Arc<Slot>>,
    pub(super) owners: Cache<Box<str>, Owner, ByBytes>,
    /// Principals of clients: a client stays with its account for as long as it exists.
    pub(super) clients: Cache<ClientId, Arc<Principal>, ByBytes>,
    pub(super) credential_lookups: CredentialLookups,
    /// The number of changes that created or deleted a resource: it invalidates cached owners.
    pub(super) moves: AtomicU64,
    /// Notifies of a view that was renewed.
    pub(super) renewed: Notify,
    /// Notifies of a change of guarded APIs, on any node.
    apis_changed: Notify,
    /// The accounts whose views are behind a notice, for the tasks that renew them.
    pub(super) behind: Mutex<HashSet<AccountName>>,
    pub(super) fell_behind: Notify,
    /// Changes that were committed here and no notice has named yet: the last of each account, with
    /// the time at which its commit had ended.
    unconfirmed: Mutex<HashMap<AccountName, (Revision, u64)>>,
    pub(super) freshness: Freshness,
    /// The generation of the database that memory belongs to.
    generation: AtomicU64,
    /// True once the database was found to have lost changes, until a new generation begins.
    lost_changes: AtomicBool,
}

impl Views {
    pub(crate) fn new(
        store: Store,
        sources: Sources,
        region: Region,
        catalogue: Arc<Catalogue>,
        (most, generation): (usize, Generation),
    ) -> Self {
        // It is there before the first time, so that an alert on its increase does not miss that.
        metrics::counter!(LOST_CHANGES).increment(0);
        let credential_lookups = CredentialLookups::new(store.timeout());
        Self {
            store,
            sources,
            region,
            catalogue,
            slots: Cache::new(most),
            owners: Cache::with_weighter(MANY, OWNERS_BYTES, ByBytes),
            clients: Cache::with_weighter(MANY, CLIENTS_BYTES, ByBytes),
            credential_lookups,
            moves: AtomicU64::new(0),
            renewed: Notify::new(),
            apis_changed: Notify::new(),
            behind: Mutex::default(),
            fell_behind: Notify::new(),
            unconfirmed: Mutex::default(),
            freshness: Freshness::new(),
            generation: AtomicU64::new(generation.number()),
            lost_changes: AtomicBool::new(false),
        }
    }

    /// Forgets which account an object belongs to, as after a time in which notices may have been
    /// lost.
    pub(super) fn forget_owners(&self) {
        self.resources_moved();
        self.clients.clear();
    }

    pub(super) fn resources_moved(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the view of an account that is in memory, however old it is.
    pub(crate) fn in_memory(&self, account: &AccountName) -> Option<Arc<View>> {
        self.slots.peek(account)?.view.load_full()
    }

    /// Waits for the next renewal of a view, counted from this call.
    pub(crate) fn renewed(&self) -> Notified<'_> {
        self.renewed.notified()
    }

    /// Waits for the next change of guarded APIs, in any account.
    pub(crate) async fn apis_changed(&self) {
        self.apis_changed.notified().await;
    }

    /// Records a notice that an account has reached a revision, with the short hash of its entry. The view
    /// is renewed where it lacks it, and verified where it seems to be beyond it or in another past.
    pub(crate) fn observe_change(&self, change: &ChangeNotice) {
        let ChangeNotice { account, revision, hash, .. } = change;
        if change.apis {
            self.apis_changed.notify_one();
        }
        if change.resources {
            self.resources_moved();
        }
        let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
        if unconfirmed.get(account).is_some_and(|(committed, _)| committed <= revision) {
            unconfirmed.remove(account);
        }
        drop(unconfirmed);
        let Some(slot) = self.slots.peek(account) else { return };
        let view = slot.view.load_full();
        let reached = view.as_ref().map(|view| view.position());
        let is_same = reached.is_some_and(|reached| {
            reached.revision == *revision && (hash.is_empty() || reached.short_hash() == *hash)
        });
        slot.lag.notice(*revision, reached.map(|reached| reached.revision), self.now());
        if reached.is_some() && !is_same {
            self.fall_behind([account.clone()]);
        }
    }

    /// Adds accounts to those that are renewed in the background.
    pub(super) fn fall_behind(&self, accounts: impl IntoIterator<Item = AccountName>) {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.extend(accounts);
        if !behind.is_empty() {
            self.fell_behind.notify_one();
        }
    }

    /// Records that a change was committed here.
    pub(super) fn record_commit(&self, account: &AccountName, revision: Revision) {
        if self.slots.peek(account).is_some_and(|slot| slot.lag.has_noticed(revision)) {
            return;
        }
        let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
        unconfirmed.insert(account.clone(), (revision, self.now()));
    }

    /// Records a heartbeat, by the time at which it was sent, once everything before it is applied.
    ///
    /// A change that was committed here until then, and that no notice has named since, is not in
    /// the database any more: the view of its account is verified.
    pub(crate) fn record_heartbeat(&self, sent: u64) {
        let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = unconfirmed.extract_if(|_, (_, committed)| *committed <= sent);
        let lost: Vec<AccountName> = lost.map(|(account, _)| account).collect();
        drop(unconfirmed);
        self.fall_behind(lost);
        self.freshness.record_heartbeat(sent);
    }

    /// Records that notices may be lost: memory is not trusted until the next heartbeat. Returns
    /// whether a heartbeat was heard since the last time.
    pub(crate) fn lose_notices(&self) -> bool {
        self.freshness.lose()
    }

    /// Returns the time by the monotonic clock, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        micros(self.sources.monotonic())
    }

    /// Drops all memory, since the database has lost a change of an account that it had
    /// acknowledged.
    pub(super) fn step_back(&self, account: &AccountName) {
        tracing::debug!(%account, "a change is lost");
        self.lose_changes();
    }

    /// Drops all memory, since the database has lost changes, or is another. A new generation is to
    /// begin.
    pub(crate) fn lose_changes(&self) {
        self.forget();
        if self.lost_changes.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(
            generation = %self.generation(),
            "the database has lost changes that it had acknowledged: memory is dropped, answers \
             come from the database, and a new generation begins"
        );
        metrics::counter!(LOST_CHANGES).increment(1);
    }

    /// Returns the generation of the database that memory belongs to.
    pub(crate) fn generation(&self) -> Generation {
        Generation::new(self.generation.load(Ordering::Acquire))
    }

    /// Takes note of the generation of the database: another drops all memory. Returns whether a new
    /// generation is to begin.
    pub(crate) fn observe_generation(&self, generation: Generation) -> bool {
        if self.generation() != generation {
            tracing::warn!(%generation, "the database has a new generation: memory is dropped");
            self.generation.store(generation.number(), Ordering::Release);
            self.lost_changes.store(false, Ordering::Release);
            self.forget();
        }
        self.lost_changes.load(Ordering::Acquire)
    }

    /// Drops everything that is remembered of the database.
    pub(crate) fn forget(&self) {
        self.slots.clear();
        self.forget_owners();
        self.renewed.notify_waiters();
        self.apis_changed.notify_one();
    }
}
