//! What everything is asked of.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_policy::{Caller, Identity, Region, Scope};
use gatewright_store::{Address, Store, StoreError};
use tokio::task::JoinHandle;
use webauthn_rs::Webauthn;

use crate::caller::{Context, Principal, PrincipalKind, Token};
use crate::catalogue::{Catalogue, CatalogueError, LiveCatalogue};
use crate::clock;
use crate::error::IamError;
use crate::log::Recorder;
use crate::passkey::relying_party;
use crate::query_id::QueryId;
use crate::session::Sessions;
use crate::token::{Algorithm, KeyError, MasterKey, Tokens};
use crate::view::{Following, Views};

/// What an account may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Policies of an account.
    pub policies: usize,
    /// Service accounts of an account.
    pub clients: usize,
    /// Entries of any list.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { policies: 100_000, clients: 1_000_000, entries: 5_000 }
    }
}

/// How an installation is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region in every URN.
    pub region: Region,
    /// The public URL, without a slash at its end; it is the issuer of every token.
    pub public_url: String,
    /// What new tokens are signed with.
    pub algorithm: Algorithm,
    /// After so many days another key takes over; none for never.
    pub key_days: Option<u32>,
    /// Whether OVHcloud's products are in the catalogue.
    pub built_in_products: bool,
    /// A folder with files that declare products.
    pub products: Option<PathBuf>,
    /// The accounts whose people alone may register resources, for any account; with none, each
    /// account registers its own.
    pub registrars: Vec<String>,
    /// What an account may hold.
    pub limits: Limits,
    /// Lines of logs are kept for so many days.
    pub log_days: u32,
    /// So many accounts are held in memory.
    pub accounts_in_memory: usize,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The keys that sign tokens.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The other nodes cannot be followed.
    #[error(transparent)]
    Follow(#[from] IamError),
}

/// Every use case. Cheap to share, never to copy.
pub struct Iam {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) views: Arc<Views>,
    pub(crate) live_catalogue: Arc<LiveCatalogue>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) sessions: Sessions,
    /// None where browsers have no passkeys at the public URL.
    pub(crate) passkeys: Option<Webauthn>,
    pub(crate) recorder: Arc<Recorder>,
    stopping: AtomicBool,
    /// What goes on beside the requests.
    tasks: [JoinHandle<()>; 3],
    _following: Following,
}

impl Drop for Iam {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Iam {
    /// Opens the database, brings it up to date, and is ready to answer.
    pub async fn open(
        address: &Address,
        master: MasterKey,
        settings: Settings,
    ) -> Result<Arc<Self>, OpenError> {
        let products = settings.products.as_deref();
        let store = Store::open(address).await?;
        let live_catalogue =
            LiveCatalogue::open(&store, settings.built_in_products, products).await?;
        let live_catalogue = Arc::new(live_catalogue);
        let tokens = Arc::new(Tokens::open(&store, master, &settings).await?);
        let views = Views::new(
            store.clone(),
            settings.region,
            live_catalogue.now(),
            settings.accounts_in_memory,
        );
        let views = Arc::new(views);
        let following = views.follow().await?;
        let recorder = Arc::new(Recorder::new(store.clone()));
        let tasks = [recorder.run(settings.log_days), tokens.run(), live_catalogue.run(&views)];
        Ok(Arc::new(Self {
            store,
            views,
            live_catalogue,
            tokens,
            passkeys: relying_party(&settings.public_url),
            sessions: Sessions::new(),
            settings,
            recorder,
            stopping: AtomicBool::new(false),
            tasks,
            _following: following,
        }))
    }

    /// How the installation is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The products that the installation knows. Anybody who is logged in may read them.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.live_catalogue.now()
    }

    /// What the operator does in the name of an account's owner.
    pub fn as_owner(&self, account: &str) -> Context {
        let region = self.settings.region;
        let principal = Principal {
            kind: PrincipalKind::Root,
            identity: Identity::account_of(region, account),
            caller: Caller::root(region, account, Scope::All),
            token: Token::None,
        };
        Context {
            principal: Arc::new(principal),
            ip: None,
            query_id: QueryId::OPERATOR,
            now: clock::now(),
        }
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        self.store.ping().await.is_ok()
    }

    /// The names of all accounts, for the operator.
    pub async fn accounts(&self) -> Result<Vec<String>, IamError> {
        Ok(self.store.accounts().await?)
    }

    /// Follows the journal of an account from its first entry to its last, for the operator.
    /// Answers how many entries there are; fails at the first that is missing or altered.
    pub async fn verify_journal(&self, account: &str) -> Result<i64, StoreError> {
        self.store.verify_journal(account).await
    }

    /// Makes a new signing key, for the operator; answers its identifier. It is published at once and
    /// signs after an hour; `at_once` it signs immediately, and no other key counts any more.
    pub async fn rotate_key(&self, at_once: bool) -> Result<String, KeyError> {
        self.tokens.rotate(at_once).await
    }

    /// The server stops: whoever follows an account is told no more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets go of the database once what is under way is done.
    pub async fn close(&self) {
        if let Err(error) = self.recorder.flush().await {
            tracing::warn!(%error, "the last second of the logs is lost");
        }
        self.store.close().await;
    }
}
