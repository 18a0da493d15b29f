//! Loads views, and renews them by the entries of the journal.
//!
//! Invariants:
//! - One task renews a view at a time.
//! - An entry is applied only where it continues the chain of hashes that the view has reached: so a
//!   database that has lost changes is noticed, even where it gives their revisions out again.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use gatewright_policy::{AccountName, Revision};
use gatewright_store::{Act, CauseChain, Change, Entry, Since, StoreError};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::engine::freshness::ViewProgress;
use crate::engine::held::{properties, read_all};
use crate::engine::view::View;
use crate::engine::views::{Slot, Views};
use crate::model::document::Reflection;
use crate::model::error::IamError;

/// The maximum number of rows in one fetch.
const CHUNK: i64 = 5_000;

/// The maximum number of fetched chunks that wait to be parsed.
const READING_AT_ONCE: usize = 4;

/// The number of views that one statement renews.
const BATCH: usize = 32;

/// The number of statements that verify views at once.
const BATCHES_AT_ONCE: usize = 4;

/// The pause of a background task after a failure.
const PAUSE: Duration = Duration::from_millis(100);

/// The outcome of a renewal.
enum Renewed {
    To(Arc<View>),
    /// The database does not hold the changes that the view has.
    OtherPast,
}

impl Views {
    /// Loads the view, or applies the entries that the journal has beyond it.
    pub(super) async fn renew(
        &self,
        account: &AccountName,
        slot: &Slot,
    ) -> Result<Arc<View>, IamError> {
        self.renew_with(account, slot, &[], &[]).await
    }

    /// Renews the view by the entries that were just committed here, where they are the next that it
    /// needs; otherwise from the database.
    pub(super) async fn renew_with(
        &self,
        account: &AccountName,
        slot: &Slot,
        entries: &[Entry],
        changes: &[Change],
    ) -> Result<Arc<View>, IamError> {
        let begun_before = slot.renewals.load(Ordering::Acquire);
        let failed_before = slot.failures.load(Ordering::Acquire);
        let mut turn = slot.turn.lock().await;
        // A renewal that began after this call was waiting for is as good as another.
        if *turn > begun_before
            && entries.is_empty()
            && let Some(view) = slot.view.load_full()
        {
            return Ok(view);
        }
        // Where a renewal that this call waited for got no answer, each waiter would wait for another timeout.
        if slot.failures.load(Ordering::Acquire) > failed_before && entries.is_empty() {
            return Err(IamError::Unavailable(StoreError::NoAnswer));
        }
        let number = slot.renewals.fetch_add(1, Ordering::AcqRel) + 1;
        let mut began = Some(self.now());
        let renewed = match slot.view.load_full() {
            None => self.load(account).await,
            Some(view) if follow(&view, entries) => {
                // The journal was not read: a notice of before may name what it has besides.
                began = None;
                apply(&view, entries, changes)
            }
            Some(view) => match self.advance(&view).await {
                Ok(Renewed::OtherPast) => {
                    self.step_back(account);
                    Ok(Renewed::OtherPast)
                }
                renewed => renewed,
            },
        };
        let renewed = match renewed {
            // The database may have changed to another past while it was read.
            Ok(Renewed::OtherPast) => self.load(account).await,
            renewed => renewed,
        };
        match renewed {
            Ok(Renewed::To(view)) => {
                *turn = number;
                self.publish(account, slot, &view, began);
                Ok(view)
            }
            Ok(Renewed::OtherPast) => {
                self.drop_view(account, slot);
                Err(IamError::malformed("a journal that does not end as its account says"))
            }
            Err(error) => {
                if matches!(error, IamError::Unavailable(_)) {
                    slot.failures.fetch_add(1, Ordering::AcqRel);
                }
                self.drop_view(account, slot);
                Err(error)
            }
        }
    }

    /// Drops the view of an account, if it is in memory: the next request reads the database.
    pub(crate) fn drop_view_of(&self, account: &AccountName) {
        if let Some(slot) = self.slots.peek(account) {
            self.drop_view(account, &slot);
        }
    }

    /// Drops a view that cannot be renewed: it must not answer any request.
    fn drop_view(&self, account: &AccountName, slot: &Slot) {
        slot.view.store(None);
        self.slots.remove(account);
    }

    /// Publishes a view. `began` is when its journal was begun to be read, if that was to its end.
    fn publish(&self, account: &AccountName, slot: &Slot, view: &Arc<View>, began: Option<u64>) {
        slot.view.store(Some(Arc::clone(view)));
        match slot.lag.reach(view.revision(), began) {
            ViewProgress::Current => {}
            ViewProgress::Behind => self.fall_behind([account.clone()]),
            ViewProgress::Lost => self.step_back(account),
        }
        self.renewed.notify_waiters();
    }

    async fn load(&self, account: &AccountName) -> Result<Renewed, IamError> {
        let generation = self.generation();
        let position = self.store.position(account).await?.ok_or(IamError::NotFound)?;
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
        view.begin_at(position, generation);
        self.resources_moved();
        self.advance(&Arc::new(view)).await
    }

    /// Applies all entries that the journal has beyond a view.
    async fn advance(&self, view: &Arc<View>) -> Result<Renewed, IamError> {
        let mut view = Arc::clone(view);
        loop {
            let position = view.position().clone();
            let since = self.store.journals_since(std::slice::from_ref(&position)).await?;
            match since.into_values().next() {
                Some(Since::Entries { entries, is_whole }) => {
                    view = self.apply_since(&view, entries)?;
                    if is_whole {
                        return Ok(Renewed::To(view));
                    }
                }
                Some(Since::OtherPast) => return Ok(Renewed::OtherPast),
                Some(Since::Unreadable(error)) => return Err(error.into()),
                None => return Err(IamError::impossible("an account without an answer")),
            }
        }
    }

    /// Renews views that are behind, as a task of its own, until it is aborted.
    pub(super) async fn renew_behind(self: Arc<Self>) {
        loop {
            self.fell_behind.notified().await;
            let batch = self.take_behind();
            match self.renew_batch(&batch).await {
                Ok(rest) => self.fall_behind(rest),
                Err(error) => {
                    tracing::debug!(error = %CauseChain(&error), "views cannot be renewed");
                    sleep(PAUSE).await;
                    self.fall_behind(batch);
                }
            }
        }
    }

    /// Takes a batch of the accounts whose views are behind; wakes another task for the others.
    fn take_behind(&self) -> Vec<AccountName> {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let batch: Vec<AccountName> = behind.iter().take(BATCH).cloned().collect();
        for account in &batch {
            behind.remove(account);
        }
        if !behind.is_empty() {
            self.fell_behind.notify_one();
        }
        batch
    }

    /// Verifies that all views are of the database's past, and renews them: as after a time in which
    /// notices may have been lost.
    pub(crate) async fn verify_all(self: &Arc<Self>) -> Result<(), IamError> {
        self.forget_owners();
        let mut accounts = Vec::new();
        for (account, slot) in self.slots.iter() {
            if slot.view.load().is_none() {
                // It is being loaded, by a journal that may have been read before this node
                // listened.
                drop(slot.turn.lock().await);
            }
            accounts.push(account);
        }
        while !accounts.is_empty() {
            let mut rest = Vec::new();
            let mut batches = JoinSet::new();
            for batch in accounts.chunks(BATCH) {
                if batches.len() == BATCHES_AT_ONCE {
                    rest.extend(finished(batches.join_next().await)?);
                }
                let (views, batch) = (Arc::clone(self), batch.to_vec());
                batches.spawn(async move { views.renew_batch(&batch).await });
            }
            while !batches.is_empty() {
                rest.extend(finished(batches.join_next().await)?);
            }
            accounts = rest;
        }
        Ok(())
    }

    /// Renews the views of several accounts by one statement, those that are in memory. Returns the
    /// accounts that it did not read to the end.
    async fn renew_batch(&self, accounts: &[AccountName]) -> Result<Vec<AccountName>, IamError> {
        let began = self.now();
        let mut positions = Vec::with_capacity(accounts.len());
        for account in accounts {
            let view = self.slots.peek(account).and_then(|slot| slot.view.load_full());
            positions.extend(view.map(|view| view.position().clone()));
        }
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let mut since = self.store.journals_since(&positions).await?;
        let mut rest = Vec::new();
        for position in &positions {
            let account = &position.account;
            match since.remove(account) {
                Some(Since::Entries { entries, is_whole }) => {
                    let began = is_whole.then_some(began);
                    if !self.take_entries(account, entries, began).await || !is_whole {
                        rest.push(account.clone());
                    }
                }
                Some(Since::OtherPast) => {
                    self.step_back(account);
                    return Ok(Vec::new());
                }
                Some(Since::Unreadable(error)) => self.give_up(account, &error.into()).await,
                None => rest.push(account.clone()),
            }
        }
        Ok(rest)
    }

    /// Applies entries that were read without the lock: those beyond the view as it is now. Returns
    /// whether the view took the same way as they do.
    async fn take_entries(
        &self,
        account: &AccountName,
        mut entries: Vec<(Entry, Option<Vec<u8>>)>,
        began: Option<u64>,
    ) -> bool {
        let Some(slot) = self.slots.peek(account) else { return true };
        let turn = slot.turn.lock().await;
        let Some(view) = slot.view.load_full() else { return true };
        entries.retain(|(entry, _)| entry.revision > view.revision());
        if entries.first().is_some_and(|(first, _)| !view.position().is_followed_by(first)) {
            return false;
        }
        match self.apply_since(&view, entries) {
            Ok(renewed) => self.publish(account, &slot, &renewed, began),
            Err(error) => {
                drop(turn);
                self.give_up(account, &error).await;
            }
        }
        true
    }

    /// Drops the view of an account whose entries cannot be read: its requests are refused, and the
    /// other accounts are not held up.
    async fn give_up(&self, account: &AccountName, error: &IamError) {
        tracing::warn!(error = %CauseChain(error), %account, "a view was forgotten");
        if let Some(slot) = self.slots.peek(account) {
            let _turn = slot.turn.lock().await;
            self.drop_view(account, &slot);
        }
    }

    /// Applies entries of the journal; returns the new view.
    fn apply_since(
        &self,
        view: &Arc<View>,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Arc<View>, IamError> {
        if entries.is_empty() {
            return Ok(Arc::clone(view));
        }
        let mut next = View::clone(view);
        let mut moves = false;
        for (entry, secret) in entries {
            moves |= moves_a_resource(&entry);
            next.apply(&entry, secret)?;
        }
        if moves {
            // The owners of resources are cached apart from the view, and must not be behind it.
            self.resources_moved();
        }
        Ok(Arc::new(next))
    }
}

fn finished(
    batch: Option<Result<Result<Vec<AccountName>, IamError>, tokio::task::JoinError>>,
) -> Result<Vec<AccountName>, IamError> {
    batch.map_or(Ok(Vec::new()), |batch| batch.map_err(IamError::internal)?)
}

pub(super) fn moves_a_resource(entry: &Entry) -> bool {
    properties(entry.kind).reflection == Reflection::ResourceOwners
        && (entry.before.is_none() || entry.after.is_none())
}

/// Returns whether the entries are the next that a view needs.
fn follow(view: &View, entries: &[Entry]) -> bool {
    entries.first().is_some_and(|first| view.position().is_followed_by(first))
}

/// Applies entries that were just committed, one for each of the changes; returns the new view.
fn apply(view: &View, entries: &[Entry], changes: &[Change]) -> Result<Renewed, IamError> {
    let mut next = view.clone();
    for (entry, change) in entries.iter().zip(changes) {
        let secret = match &change.act {
            Act::Create { secret, .. } | Act::Update { secret, .. } => secret.clone(),
            Act::Delete { .. } => None,
        };
        next.apply(entry, secret)?;
    }
    Ok(Renewed::To(Arc::new(next)))
}
