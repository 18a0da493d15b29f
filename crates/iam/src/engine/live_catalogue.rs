//! The live catalogue: the products that files declare, and the APIs that accounts declared since.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use gatewright_policy::{AccountName, Revision};
use gatewright_store::{CauseChain, Generation, Kind, Position, Store, StoreError};
use quick_cache::sync::Cache;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::catalogue::error::CatalogueError;
use crate::catalogue::index::{Catalogue, CheckedProduct};
use crate::engine::freshness::{NEVER, micros};
use crate::engine::views::Views;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::guarded_api::ApiDocument;
use crate::sources::Sources;

/// Interval between two checks for APIs that other nodes declared, unless they notify of a change
/// earlier.
const PAUSE: Duration = Duration::from_secs(2);

/// The part of a guarded API that decisions need, not its document; none where it is not valid any more.
type Declaration = Option<Arc<CheckedProduct>>;

/// The maximum age of what others declared: after it, no request is decided by it. The task that
/// renews it has twice its interval.
const MAX_AGE: Duration = Duration::from_secs(4);

/// Time after a renewal that failed in which none is tried again on the path of a request.
const RETRY: Duration = Duration::from_secs(1);

/// The guarded APIs of an account, at a position of its journal.
struct Declarations {
    position: Position,
    apis: BTreeMap<String, Declaration>,
    /// The time since which they cannot be read, by the monotonic clock, if they cannot.
    unreadable_since: Option<Duration>,
}

impl Declarations {
    fn none_of(account: &AccountName) -> Self {
        let position = Position::origin(account);
        Self { position, apis: BTreeMap::new(), unreadable_since: None }
    }

    fn apply(&mut self, changed: Vec<(String, Option<Declaration>)>) {
        for (name, declaration) in changed {
            match declaration {
                Some(declaration) => self.apis.insert(name, declaration),
                None => self.apis.remove(&name),
            };
        }
    }
}

/// Checks a stored declaration.
fn check(name: &str, document: &str) -> Declaration {
    let api = match ApiDocument::read(document) {
        Ok(api) => api,
        Err(error) => {
            left_out(name, &error);
            return None;
        }
    };
    let checked = CheckedProduct::of_api(name, api.document.get());
    checked.inspect_err(|error| left_out(name, error)).ok().map(Arc::new)
}

/// The declarations that were read of an account.
struct ReadDeclarations {
    /// True if it replaces all that was known of the account.
    from_beginning: bool,
    /// The names of APIs that changed, with their declarations; none for those that were deleted.
    changed: Vec<(String, Option<Declaration>)>,
}

/// The guarded APIs of all accounts, as they were read from one generation of the database.
#[derive(Default)]
struct DeclaredApis {
    generation: Option<Generation>,
    accounts: BTreeMap<AccountName, Declarations>,
    /// True if something was read that is not published yet: it stays so where a renewal fails or is
    /// given up halfway.
    is_unpublished: bool,
}

pub(crate) struct LiveCatalogue {
    store: Store,
    /// The catalogue that the files declare, before the APIs of accounts are merged into it.
    files: Arc<Catalogue>,
    /// The catalogue of the files alone.
    of_files: Arc<Catalogue>,
    now: ArcSwap<Catalogue>,
    /// The number of changes to the catalogue.
    changes: AtomicU64,
    /// The declarations that the catalogue is made of. A renewal holds the lock until it ends.
    known: Mutex<DeclaredApis>,
    /// The catalogues of accounts, each with the number of changes when it was made.
    of_accounts: Cache<AccountName, (u64, Arc<Catalogue>)>,
    sources: Sources,
    /// The time at which the last renewal that succeeded began, and that of the last failure, in
    /// microseconds by the monotonic clock.
    renewed: AtomicU64,
    failed: AtomicU64,
}

/// The number of accounts whose catalogues are kept.
pub(crate) const ACCOUNTS: usize = 32;

impl LiveCatalogue {
    pub(crate) async fn open(
        store: &Store,
        files: Catalogue,
        sources: &Sources,
    ) -> Result<Self, IamError> {
        let of_files = Arc::new(files.clone().completed());
        let (files, now) = (Arc::new(files), ArcSwap::new(Arc::clone(&of_files)));
        let (changes, known) = (AtomicU64::new(0), Mutex::default());
        let of_accounts = Cache::new(ACCOUNTS);
        let (store, sources) = (store.clone(), sources.clone());
        let (renewed, failed) = (AtomicU64::new(NEVER), AtomicU64::new(NEVER));
        let live_catalogue = Self {
            store,
            files,
            of_files,
            now,
            changes,
            known,
            of_accounts,
            sources,
            renewed,
            failed,
        };
        live_catalogue.renew().await?;
        Ok(live_catalogue)
    }

    pub(crate) fn current(&self) -> Arc<Catalogue> {
        self.now.load_full()
    }

    /// Returns the catalogue of the files, without the APIs that accounts declared.
    pub(crate) fn of_files(&self) -> Arc<Catalogue> {
        Arc::clone(&self.of_files)
    }

    /// Borrows the catalogue for a moment: no reference is counted, so that threads do not contend.
    pub(crate) fn borrow(&self) -> Guard<Arc<Catalogue>> {
        self.now.load()
    }

    /// Returns the number of changes to the catalogue; a caller that reads it before the catalogue
    /// misses no change.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Reads the APIs that accounts declared, changed or deleted since the last time. What was read is
    /// published, also where the rest cannot be read.
    pub(crate) async fn renew(&self) -> Result<(), IamError> {
        self.renew_known(&mut *self.known.lock().await).await
    }

    /// Fails where what others declared may have changed a while ago: a node that does not reach its
    /// database must not go on allowing what was public.
    pub(crate) async fn demand_recent(&self) -> Result<(), IamError> {
        if self.is_within(&self.renewed, MAX_AGE) {
            return Ok(());
        }
        Box::pin(self.renew_overdue()).await
    }

    async fn renew_overdue(&self) -> Result<(), IamError> {
        let mut known = self.known.lock().await;
        // Others may have waited for the same renewal.
        if self.is_within(&self.renewed, MAX_AGE) {
            return Ok(());
        }
        if self.is_within(&self.failed, RETRY) {
            return Err(StoreError::Silent(MAX_AGE).into());
        }
        match self.renew_known(&mut known).await {
            // Of an account that cannot be read, nothing is left by now.
            Err(_) if self.is_within(&self.renewed, MAX_AGE) => Ok(()),
            renewed => renewed,
        }
    }

    /// Waits until what is published reflects all changes of an account up to a revision.
    pub(crate) async fn advance_to(
        &self,
        account: &AccountName,
        revision: Revision,
    ) -> Result<(), IamError> {
        let mut known = self.known.lock().await;
        match known.accounts.get(account) {
            Some(declarations) if declarations.position.revision >= revision => Ok(()),
            _ => self.renew_known(&mut known).await,
        }
    }

    fn is_within(&self, time: &AtomicU64, age: Duration) -> bool {
        let time = time.load(Ordering::Acquire);
        time != NEVER && micros(self.sources.monotonic()).saturating_sub(time) <= micros(age)
    }

    async fn renew_known(&self, known: &mut DeclaredApis) -> Result<(), IamError> {
        let began = self.sources.monotonic();
        let read = self.read_changes(known, began).await;
        if known.is_unpublished {
            self.now.store(self.compose(known, |_, _| true));
            self.changes.fetch_add(1, Ordering::Release);
            // Those of before would keep what is no longer declared.
            self.of_accounts.clear();
            known.is_unpublished = false;
            let apis: usize = known.accounts.values().map(|one| one.apis.len()).sum();
            tracing::info!(apis, "the guarded APIs of accounts were read");
        }
        read
    }

    async fn read_changes(
        &self,
        known: &mut DeclaredApis,
        began: Duration,
    ) -> Result<(), IamError> {
        let heads = async {
            let generation = self.store.generation().await?;
            Ok::<_, StoreError>((generation, self.store.heads_of_kind(Kind::Api).await?))
        };
        let heads =
            heads.await.inspect_err(|_| self.failed.store(micros(began), Ordering::Release));
        let (generation, heads) = heads?;
        let generation = Some(generation);
        if known.generation != generation {
            // Another past of the database may have other APIs at the same revisions.
            let is_unpublished = known.is_unpublished || !known.accounts.is_empty();
            *known = DeclaredApis { generation, is_unpublished, ..DeclaredApis::default() };
        }
        let before = known.accounts.len();
        let declaring: HashSet<_> = heads.iter().map(|head| &head.account).collect();
        known.accounts.retain(|account, _| declaring.contains(account));
        known.is_unpublished |= known.accounts.len() != before;
        let mut failure = Ok(());
        for head in heads {
            let declarations = known
                .accounts
                .entry(head.account.clone())
                .or_insert_with(|| Declarations::none_of(&head.account));
            if declarations.position == head {
                continue;
            }
            match self.read(&declarations.position, &head).await {
                Ok(ReadDeclarations { from_beginning, changed }) => {
                    known.is_unpublished |= from_beginning || !changed.is_empty();
                    if from_beginning {
                        declarations.apis.clear();
                    }
                    declarations.apply(changed);
                    declarations.position = head;
                    declarations.unreadable_since = None;
                }
                // The others are read all the same.
                Err(error) => {
                    let since = *declarations.unreadable_since.get_or_insert(began);
                    if began.saturating_sub(since) >= MAX_AGE && !declarations.apis.is_empty() {
                        known.is_unpublished = true;
                        *declarations = Declarations::none_of(&head.account);
                        declarations.unreadable_since = Some(since);
                    }
                    failure = Err(error);
                }
            }
        }
        self.renewed.store(micros(began), Ordering::Release);
        failure
    }

    /// Reads the APIs that an account changed between a position and its last change. Where the
    /// position is not in its journal any more, the database has lost changes: then all are read.
    async fn read(
        &self,
        position: &Position,
        head: &Position,
    ) -> Result<ReadDeclarations, IamError> {
        let account = &head.account;
        let is_followed = position.revision < head.revision
            && self.store.position_at(account, position.revision).await?.as_ref() == Some(position);
        let since = if is_followed { position.revision } else { Revision::ZERO };
        let mut changed = Vec::new();
        for name in self.store.changed_since(account, since, Kind::Api).await? {
            let object = self.store.object(account, Kind::Api, &name).await?;
            let declaration = object.map(|object| check(&name, &object.document));
            changed.push((name, declaration));
        }
        Ok(ReadDeclarations { from_beginning: !is_followed, changed })
    }

    /// Returns the catalogue of the files with those of the declared APIs that a filter chooses, by
    /// their accounts: that which declared it, and that which owns the resources behind it.
    fn compose(
        &self,
        known: &DeclaredApis,
        chosen: impl Fn(&AccountName, Option<&AccountName>) -> bool,
    ) -> Arc<Catalogue> {
        let all = known.accounts.iter().flat_map(|(account, declarations)| {
            let valid =
                declarations.apis.iter().filter_map(|(name, one)| Some((name, one.as_ref()?)));
            valid.map(move |(name, product)| (account, name, product))
        });
        let mut chosen =
            all.filter(|(account, _, product)| chosen(account, product.owner())).peekable();
        if chosen.peek().is_none() {
            return self.of_files();
        }
        let mut catalogue = Catalogue::clone(&self.files);
        for (_, name, product) in chosen {
            // A file that was added later may conflict with it.
            if let Err(error) = catalogue.add_checked(product) {
                left_out(name, &error);
            }
        }
        Arc::new(catalogue.completed())
    }

    /// Returns the catalogue that an account is shown: without the APIs of other accounts.
    pub(crate) async fn of_account(&self, account: &AccountName) -> Arc<Catalogue> {
        // Read before the declarations, so that no change is missed.
        let changes = self.changes();
        if let Some((then, catalogue)) = self.of_accounts.get(account)
            && then == changes
        {
            return catalogue;
        }
        let known = self.known.lock().await;
        let is_own =
            |by: &AccountName, owner: Option<&AccountName>| by == account || owner == Some(account);
        let catalogue = self.compose(&known, is_own);
        self.of_accounts.insert(account.clone(), (changes, Arc::clone(&catalogue)));
        catalogue
    }

    /// Validates a document against the catalogue, which fails where it conflicts with the files. A
    /// large one takes a while, so no worker is held up by it.
    pub(crate) async fn check(
        &self,
        name: &str,
        document: &RawValue,
    ) -> Result<Result<CheckedProduct, CatalogueError>, IamError> {
        let (files, name, document) =
            (Arc::clone(&self.files), name.to_owned(), document.to_owned());
        let check = move || {
            let product = CheckedProduct::of_new_api(&name, document.get())?;
            files.check_name(&product).map(|()| product)
        };
        tokio::task::spawn_blocking(check).await.map_err(IamError::internal)
    }

    /// Returns the size of the APIs of an account, but for the one of a name.
    pub(crate) async fn size_of_others(&self, account: &AccountName, name: &str) -> usize {
        let known = self.known.lock().await;
        let apis = known.accounts.get(account).into_iter().flat_map(|one| &one.apis);
        let others = apis.filter(|(one, _)| *one != name).filter_map(|(_, api)| api.as_ref());
        others.map(|api| api.size()).sum()
    }

    /// Starts the task that follows the declarations of other nodes, until it is aborted.
    pub(crate) fn run(self: &Arc<Self>, views: &Arc<Views>) -> JoinHandle<()> {
        let (live_catalogue, views) = (Arc::clone(self), Arc::clone(views));
        tokio::spawn(async move {
            loop {
                let _ = tokio::time::timeout(PAUSE, views.apis_changed()).await;
                if let Err(error) = live_catalogue.renew().await {
                    tracing::warn!(error = %CauseChain(&error), "what others declared cannot be read");
                }
            }
        })
    }
}

fn left_out(name: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error = %CauseChain(error), name, "a guarded API is left out");
}

#[cfg(test)]
mod tests;
