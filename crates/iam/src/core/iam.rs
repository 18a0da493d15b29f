//! What everything is asked of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_policy::{Caller, Identity, Instant, Scope};
use gatewright_store::{Address, Store, StoreError};
use tokio::task::JoinHandle;
use webauthn_rs::Webauthn;

use crate::catalogue::error::CatalogueError;
use crate::catalogue::file::texts;
use crate::catalogue::index::Catalogue;
use crate::engine::follow::Following;
use crate::engine::live_catalogue::LiveCatalogue;
use crate::engine::recorder::Recorder;
use crate::engine::relying_party::relying_party;
use crate::engine::sign_in_attempts::SignInAttempts;
use crate::engine::tokens::Tokens;
use crate::engine::vault::{KeyError, MasterKey};
use crate::engine::views::Views;
use crate::model::caller::{Context, Principal, PrincipalKind, Token};
use crate::model::document::Place;
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::settings::Settings;
use crate::model::token::KeyRotation;
use crate::sources::Sources;

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
    pub(crate) sign_in_attempts: SignInAttempts,
    /// None where browsers have no passkeys at the public URL.
    pub(crate) passkeys: Option<Webauthn>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) sources: Sources,
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
        sources: Sources,
    ) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(address).await?;
        let files = texts(settings.products.as_deref())?;
        let files = Catalogue::declared(settings.built_in_products, &files)?;
        let live_catalogue = LiveCatalogue::open(&store, files).await?;
        let live_catalogue = Arc::new(live_catalogue);
        let tokens = Arc::new(Tokens::open(&store, master, &settings, sources.clone()).await?);
        let views = Views::new(
            store.clone(),
            settings.region,
            live_catalogue.current(),
            settings.accounts_in_memory,
        );
        let views = Arc::new(views);
        let following = views.follow().await?;
        let recorder = Arc::new(Recorder::new(store.clone(), sources.clone()));
        let tasks = [recorder.run(settings.log_days), tokens.run(), live_catalogue.run(&views)];
        Ok(Arc::new(Self {
            store,
            views,
            live_catalogue,
            tokens,
            passkeys: relying_party(&settings.public_url),
            sign_in_attempts: SignInAttempts::new(),
            settings,
            recorder,
            sources,
            stopping: AtomicBool::new(false),
            tasks,
            _following: following,
        }))
    }

    /// How the installation is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Names an object of an account.
    pub(crate) fn place<'a>(&self, account: &'a str, id: &'a str) -> Place<'a> {
        Place { region: self.settings.region, account, id }
    }

    /// Tells the time.
    pub fn now(&self) -> Instant {
        self.sources.now()
    }

    /// Draws the identifier of a request.
    pub fn new_query_id(&self) -> QueryId {
        self.sources.query_id(self.settings.region)
    }

    /// Draws a text of 128 bits that nobody can guess.
    pub fn new_nonce(&self) -> Result<String, IamError> {
        Ok(hex::encode(self.sources.bytes::<16>()?))
    }

    /// Draws a password for the owner of a new account.
    pub fn new_password(&self) -> Result<Secret, IamError> {
        self.sources.password()
    }

    /// The products that the installation knows. Anybody who is logged in may read them.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.live_catalogue.current()
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
            now: self.now(),
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
    /// signs after an hour; in an emergency it signs immediately, and no other key counts any more.
    pub async fn rotate_key(&self, rotation: KeyRotation) -> Result<String, KeyError> {
        self.tokens.rotate(rotation).await
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
