//! The live catalogue: the products that files declare, and the APIs that accounts declared since.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use gatewright_policy::AccountName;
use gatewright_store::{CauseChain, Kind, Object, Store};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::catalogue::error::CatalogueError;
use crate::catalogue::index::{Catalogue, check_visible};
use crate::engine::views::Views;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::guarded_api::ApiDocument;

/// Interval between two checks for APIs that other nodes declared, unless they notify of a change
/// earlier.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct LiveCatalogue {
    store: Store,
    /// The catalogue that the files declare, before the APIs of accounts are merged into it.
    files: Catalogue,
    now: ArcSwap<Catalogue>,
    /// The number of changes to the catalogue.
    changes: AtomicU64,
    /// The APIs in it. A renewal holds the lock until it ends.
    apis: Mutex<Vec<Declaration>>,
    /// The catalogues of accounts, each with the number of changes when it was made.
    of_accounts: Cache<AccountName, (u64, Arc<Catalogue>)>,
}

/// An API that an account has declared.
#[derive(Clone, PartialEq, Eq)]
struct Declaration {
    account: AccountName,
    name: String,
    document: String,
}

/// The number of accounts whose catalogues are kept.
const ACCOUNTS: usize = 32;

impl LiveCatalogue {
    pub(crate) async fn open(store: &Store, files: Catalogue) -> Result<Self, IamError> {
        let now = ArcSwap::from_pointee(files.clone().completed());
        let (changes, apis) = (AtomicU64::new(0), Mutex::default());
        let of_accounts = Cache::new(ACCOUNTS);
        let live_catalogue = Self { store: store.clone(), files, now, changes, apis, of_accounts };
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

    /// Reloads the APIs that accounts declare: adds the new ones, and removes the deleted ones.
    pub(crate) async fn renew(&self) -> Result<(), IamError> {
        let mut apis = self.apis.lock().await;
        let objects = self.store.objects_of_all_accounts(Kind::Api).await?;
        let found = objects.into_iter().map(|Object { account, id: name, document, .. }| {
            Declaration { account, name, document }
        });
        let found: Vec<Declaration> = found.collect();
        if found == *apis {
            return Ok(());
        }
        self.now.store(Arc::new(self.with(&found, |_, _| true)?));
        self.changes.fetch_add(1, Ordering::Release);
        *apis = found;
        Ok(())
    }

    /// Returns the catalogue with those of the declared APIs that a filter chooses, by their accounts:
    /// that which declared it, and that which owns the resources behind it.
    fn with(
        &self,
        apis: &[Declaration],
        chosen: impl Fn(&AccountName, Option<&str>) -> bool,
    ) -> Result<Catalogue, IamError> {
        let mut catalogue = self.files.clone();
        for Declaration { account, name, document } in apis {
            let api = ApiDocument::read(document)?;
            let owner = api.document.get("x-iam-account").and_then(serde_json::Value::as_str);
            if !chosen(account, owner) {
                continue;
            }
            match catalogue.with_api(name, &api.document) {
                Ok(with) => catalogue = with,
                // A file that was added later may conflict with it.
                Err(error) => {
                    tracing::warn!(error = %CauseChain(&error), name, "a guarded API is left out");
                }
            }
        }
        Ok(catalogue.completed())
    }

    /// Returns the catalogue that an account is shown: without the APIs of other accounts.
    pub(crate) async fn of_account(
        &self,
        account: &AccountName,
    ) -> Result<Arc<Catalogue>, IamError> {
        // Read before the declarations, so that no change is missed.
        let changes = self.changes();
        if let Some((then, catalogue)) = self.of_accounts.get(account)
            && then == changes
        {
            return Ok(catalogue);
        }
        let apis = self.apis.lock().await.clone();
        let is_own = |by: &AccountName, owner: Option<&str>| {
            by == account || owner == Some(account.as_str())
        };
        let catalogue = Arc::new(self.with(&apis, is_own)?);
        self.of_accounts.insert(account.clone(), (changes, Arc::clone(&catalogue)));
        Ok(catalogue)
    }

    /// Validates a document against the catalogue; fails where it conflicts with the files.
    pub(crate) fn check(
        &self,
        name: &str,
        document: &serde_json::Value,
    ) -> Result<(), CatalogueError> {
        check_visible(&format!("{name}.json"), &document.to_string())?;
        self.files.with_api(name, document).map(drop)
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
