//! The live catalogue: the products that files declare, and the APIs that accounts declared since.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use gatewright_policy::{AccountName, Revision};
use gatewright_store::{CauseChain, Generation, Kind, Store};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::catalogue::error::CatalogueError;
use crate::catalogue::index::{Catalogue, CheckedProduct, check_visible};
use crate::engine::views::Views;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::guarded_api::ApiDocument;

/// Interval between two checks for APIs that other nodes declared, unless they notify of a change
/// earlier.
const PAUSE: Duration = Duration::from_secs(2);

/// What decisions need of a guarded API, not its document; none where it is not valid any more.
type Declaration = Option<Arc<CheckedProduct>>;

/// The guarded APIs of an account.
#[derive(Default)]
struct Declarations {
    revision: Revision,
    apis: BTreeMap<String, Declaration>,
}

impl Declarations {
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
    let checked = CheckedProduct::of_api(name, &api.document);
    checked.inspect_err(|error| left_out(name, error)).ok().map(Arc::new)
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
    files: Catalogue,
    now: ArcSwap<Catalogue>,
    /// The number of changes to the catalogue.
    changes: AtomicU64,
    /// What the catalogue is made of. A renewal holds the lock until it ends.
    known: Mutex<DeclaredApis>,
    /// The catalogues of accounts, each with the number of changes when it was made.
    of_accounts: Cache<AccountName, (u64, Arc<Catalogue>)>,
}

/// The number of accounts whose catalogues are kept.
const ACCOUNTS: usize = 32;

impl LiveCatalogue {
    pub(crate) async fn open(store: &Store, files: Catalogue) -> Result<Self, IamError> {
        let now = ArcSwap::from_pointee(files.clone().completed());
        let (changes, known) = (AtomicU64::new(0), Mutex::default());
        let of_accounts = Cache::new(ACCOUNTS);
        let live_catalogue = Self { store: store.clone(), files, now, changes, known, of_accounts };
        live_catalogue.renew().await?;
        Ok(live_catalogue)
    }

    pub(crate) fn current(&self) -> Arc<Catalogue> {
        self.now.load_full()
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
        let mut known = self.known.lock().await;
        let read = self.read_changes(&mut known).await;
        if known.is_unpublished {
            self.now.store(Arc::new(self.compose(&known, |_, _| true)));
            self.changes.fetch_add(1, Ordering::Release);
            known.is_unpublished = false;
            let apis: usize = known.accounts.values().map(|one| one.apis.len()).sum();
            tracing::info!(apis, "the guarded APIs of accounts were read");
        }
        read
    }

    async fn read_changes(&self, known: &mut DeclaredApis) -> Result<(), IamError> {
        let generation = Some(self.store.generation().await?);
        let heads: BTreeMap<_, _> =
            self.store.accounts_with(Kind::Api).await?.into_iter().collect();
        if known.generation != generation {
            // Another past of the database may have other APIs at the same revisions.
            let is_unpublished = known.is_unpublished || !known.accounts.is_empty();
            *known = DeclaredApis { generation, is_unpublished, ..DeclaredApis::default() };
        }
        let before = known.accounts.len();
        known.accounts.retain(|account, _| heads.contains_key(account));
        known.is_unpublished |= known.accounts.len() != before;
        let mut failure = Ok(());
        for (account, revision) in heads {
            let declarations = known.accounts.entry(account.clone()).or_default();
            if declarations.revision >= revision {
                continue;
            }
            match self.read(&account, declarations.revision).await {
                Ok(changed) => {
                    known.is_unpublished |= !changed.is_empty();
                    declarations.apply(changed);
                    declarations.revision = revision;
                }
                // The others are read all the same.
                Err(error) => failure = Err(error),
            }
        }
        failure
    }

    /// Reads the APIs that an account changed after a revision; none for those that it deleted.
    async fn read(
        &self,
        account: &AccountName,
        since: Revision,
    ) -> Result<Vec<(String, Option<Declaration>)>, IamError> {
        let mut changed = Vec::new();
        for name in self.store.changed_since(account, since, Kind::Api).await? {
            let object = self.store.object(account, Kind::Api, &name).await?;
            let declaration = object.map(|object| check(&name, &object.document));
            changed.push((name, declaration));
        }
        Ok(changed)
    }

    /// Returns the catalogue of the files with those of the declared APIs that a filter chooses, by
    /// their accounts: that which declared it, and that which owns the resources behind it.
    fn compose(
        &self,
        known: &DeclaredApis,
        chosen: impl Fn(&AccountName, Option<&AccountName>) -> bool,
    ) -> Catalogue {
        let mut catalogue = self.files.clone();
        for (account, declarations) in &known.accounts {
            for (name, product) in &declarations.apis {
                let Some(product) = product else { continue };
                // A file that was added later may conflict with it.
                if chosen(account, product.owner())
                    && let Err(error) = catalogue.add_checked(product)
                {
                    left_out(name, &error);
                }
            }
        }
        catalogue.completed()
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
        let catalogue = Arc::new(self.compose(&known, is_own));
        self.of_accounts.insert(account.clone(), (changes, Arc::clone(&catalogue)));
        catalogue
    }

    /// Validates a document against the catalogue; fails where it conflicts with the files. Returns
    /// the actions that it declares.
    pub(crate) fn check(
        &self,
        name: &str,
        document: &serde_json::Value,
    ) -> Result<Vec<String>, CatalogueError> {
        check_visible(&format!("{name}.json"), &document.to_string())?;
        let product = CheckedProduct::of_api(name, document)?;
        self.files.check_name(&product)?;
        Ok(product.actions.into_iter().map(|declared| declared.action).collect())
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
