//! Defines the type whose methods are the use cases, and opens and closes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatewright_policy::{AccountName, Caller, Identity, Instant, Scope};
use gatewright_store::{Address, CauseChain, Replacement, ServerLock, Store, StoreError};
use tokio::runtime::Handle;
use webauthn_rs::Webauthn;

use crate::catalogue::error::CatalogueError;
use crate::catalogue::file::texts;
use crate::catalogue::index::Catalogue;
use crate::engine::background_tasks::BackgroundTasks;
use crate::engine::concurrency_limit::ConcurrencyLimit;
use crate::engine::disk_reserve::keep_reserve;
use crate::engine::follow::{Follower, begin_generation, new_installation};
use crate::engine::keyed_semaphores::KeyedSemaphores;
use crate::engine::live_catalogue::LiveCatalogue;
use crate::engine::rate_limits::RateLimits;
use crate::engine::recorder::Recorder;
use crate::engine::relying_party::relying_party;
use crate::engine::revocation_watch::RevocationWatch;
use crate::engine::sign_in_attempts::SignInAttempts;
use crate::engine::tokens::Tokens;
use crate::engine::vault::{KeyError, MasterKey};
use crate::engine::views::Views;
use crate::model::caller::{Context, Principal, PrincipalKind, Token};
use crate::model::document::Place;
use crate::model::error::IamError;
use crate::model::limits::REPLICAS;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::settings::Settings;
use crate::model::token::KeyRotation;
use crate::sources::Sources;

/// The reason why the database cannot be used at the moment.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database file is not in order: what is wrong with it, and what its operator can do.
    #[error("{0}")]
    File(Arc<String>),
    /// The database does not answer.
    #[error("the database does not answer")]
    Database(#[source] StoreError),
}

/// Errors that prevent the server from starting.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalogue cannot be loaded.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The keys that sign tokens cannot be opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Changes on the other nodes cannot be followed.
    #[error(transparent)]
    Follow(#[from] IamError),
}

/// The use cases, as methods. It is shared behind an [`Arc`] and never copied.
pub struct Iam {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) views: Arc<Views>,
    pub(crate) live_catalogue: Arc<LiveCatalogue>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) sign_in_attempts: SignInAttempts,
    pub(crate) revocation_watch: RevocationWatch,
    pub(crate) rate_limits: Arc<RateLimits>,
    /// The relying party of passkeys; none where browsers support no passkeys at the public URL.
    pub(crate) passkeys: Option<Webauthn>,
    pub(crate) recorder: Arc<Recorder>,
    /// The limit of large requests for decisions.
    pub(crate) large_requests: Arc<ConcurrencyLimit>,
    /// The limit of forwarded requests whose decisions cost much: large requests keep none waiting.
    pub(crate) costly_forwarded: Arc<ConcurrencyLimit>,
    /// The limit of declarations of guarded APIs.
    pub(crate) declarations: ConcurrencyLimit,
    /// The replicas of accounts that follow this node.
    pub(crate) replicas: Arc<KeyedSemaphores<AccountName>>,
    /// The general runtime, on which large requests are decided.
    pub(crate) runtime: Handle,
    pub(crate) sources: Sources,
    stopping: AtomicBool,
    tasks: BackgroundTasks,
}

impl Iam {
    /// Opens the database, migrates its schema, and starts the background tasks.
    pub async fn open(
        address: &Address,
        master: MasterKey,
        settings: Settings,
        sources: Sources,
    ) -> Result<Arc<Self>, OpenError> {
        let store = Store::open_within(address, settings.database_timeout).await?;
        let installation = store.installation(&new_installation(&sources)?).await?;
        let files = texts(settings.products.as_deref())?;
        let files = Catalogue::declared(settings.built_in_products, &files)?;
        let live_catalogue = LiveCatalogue::open(&store, files, &sources).await?;
        let live_catalogue = Arc::new(live_catalogue);
        let tokens = Arc::new(Tokens::open(&store, master, &settings, sources.clone()).await?);
        let views = Views::new(
            store.clone(),
            sources.clone(),
            settings.region,
            live_catalogue.of_files(),
            (settings.accounts_in_memory, installation.generation),
        );
        let views = Arc::new(views);
        let follower = Follower::new(sources.clone(), Arc::clone(&views), Arc::clone(&tokens))?;
        let sign_in_attempts = SignInAttempts::new(&sources)?;
        let mut tasks = follower.start().await?;
        let recorder = Arc::new(Recorder::new(store.clone(), sources.clone(), settings.region));
        let rate_limits = Arc::new(RateLimits::new(&settings.rates, &sources));
        tasks.extend([
            recorder.run(),
            recorder.run_deletion(settings.log_days, settings.log_sizes),
            recorder.run_merging(),
            tokens.run(),
            live_catalogue.run(&views),
            rate_limits.run(),
        ]);
        Ok(Arc::new(Self {
            store,
            views,
            live_catalogue,
            tokens,
            passkeys: relying_party(&settings.public_url),
            sign_in_attempts,
            revocation_watch: RevocationWatch::new(),
            rate_limits,
            settings,
            recorder,
            large_requests: Arc::new(ConcurrencyLimit::of_decisions()),
            costly_forwarded: Arc::new(ConcurrencyLimit::of_decisions()),
            declarations: ConcurrencyLimit::of_declarations(),
            replicas: KeyedSemaphores::new(REPLICAS),
            runtime: Handle::current(),
            sources,
            stopping: AtomicBool::new(false),
            tasks: BackgroundTasks::new(tasks),
        }))
    }

    /// Returns the settings of the installation.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the reference to an object of an account.
    pub(crate) fn place<'a>(&self, account: &'a AccountName, id: &'a str) -> Place<'a> {
        Place { region: self.settings.region, account, id }
    }

    /// Returns the current time.
    pub fn now(&self) -> Instant {
        self.sources.now()
    }

    /// Returns the time since some fixed moment, by a clock that is never set back.
    pub fn monotonic(&self) -> Duration {
        self.sources.monotonic()
    }

    /// Generates the query ID of a request.
    pub fn new_query_id(&self) -> QueryId {
        self.sources.query_id(self.settings.region)
    }

    /// Generates a nonce: a text of 128 random bits.
    pub fn new_nonce(&self) -> Result<String, IamError> {
        Ok(hex::encode(self.sources.bytes::<16>()?))
    }

    /// Generates a password for the owner of a new account.
    pub fn new_password(&self) -> Result<Secret, IamError> {
        self.sources.password()
    }

    /// Returns the catalogue of products that the caller's account is shown, without what other
    /// accounts have declared. Every authenticated caller may read it.
    pub async fn catalogue_for(&self, context: &Context) -> Result<Arc<Catalogue>, IamError> {
        Ok(self.live_catalogue.of_account(context.account()).await)
    }

    /// Returns the catalogue of products of all accounts.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.live_catalogue.current()
    }

    /// Creates a context in which the operator acts as the owner of an account.
    pub fn as_owner(&self, account: &AccountName) -> Context {
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
            conditions: None,
        }
    }

    /// Keeps the lock of a server until the database is closed, and room on its disk; fails if there is a
    /// lock already. A database that was restored meanwhile begins a new generation.
    pub async fn begin_serving(&self, lock: ServerLock) -> Result<(), OpenError> {
        if self.store.hold(lock).await? == Replacement::Other {
            self.views.lose_changes();
            begin_generation(&self.views, &self.sources, self.views.generation()).await?;
            // Only now: a start that ends before must be told of it again.
            self.store.forget_last_change();
        }
        self.store.keep_reserve(self.settings.disk_reserve)?;
        self.tasks.add(keep_reserve(self.store.clone()));
        Ok(())
    }

    /// Checks that the database answers.
    pub async fn check_ready(&self) -> Result<(), NotReady> {
        if let Some(error) = self.store.file_error() {
            return Err(NotReady::File(error));
        }
        self.store.ping().await.map_err(NotReady::Database)
    }

    /// Lists the names of all accounts, for the operator.
    pub async fn accounts(&self) -> Result<Vec<AccountName>, IamError> {
        Ok(self.store.accounts().await?)
    }

    /// Returns whether several accounts may register any resource and declare any API: the first that
    /// does so shuts the others out of it, so the accounts must trust each other.
    pub async fn shares_registration(&self) -> Result<bool, IamError> {
        Ok(self.settings.registrars.is_empty() && self.store.accounts().await?.len() > 1)
    }

    /// Lists the registrars that are no accounts here, which may be a mistake in the setting.
    pub async fn unknown_registrars(&self) -> Result<Vec<AccountName>, IamError> {
        let registrars = &self.settings.registrars;
        if registrars.is_empty() {
            return Ok(Vec::new());
        }
        let accounts = self.store.accounts().await?;
        Ok(registrars.iter().filter(|one| !accounts.contains(one)).cloned().collect())
    }

    /// Verifies the hash chain of an account's journal from its first entry to its last, for the
    /// operator. Returns the number of entries; fails at the first that is missing or altered.
    pub async fn verify_journal(&self, account: &AccountName) -> Result<i64, StoreError> {
        self.store.verify_journal(account).await
    }

    /// Creates a new signing key, for the operator; returns its identifier. The key is published at
    /// once and signs after an hour; in an emergency it signs immediately, and all other keys are
    /// deleted.
    pub async fn rotate_key(&self, rotation: KeyRotation) -> Result<String, KeyError> {
        self.tokens.rotate(rotation).await
    }

    /// Signals that the server is stopping, which ends the streams of the clients that follow an
    /// account.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether the server is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Closes the database once the operations in progress are done.
    pub async fn close(&self) {
        if let Err(error) = self.recorder.finish().await {
            tracing::warn!(error = %CauseChain(&error), "the last second of the logs is lost");
        }
        // A task that met the closed database would log a failure.
        self.tasks.end_all().await;
        self.store.close().await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use gatewright_testing::TestDatabase;

    use super::*;

    /// Opens a database with a master key of its own.
    pub(crate) async fn opened(database: &TestDatabase) -> Arc<Iam> {
        let (folder, sources) = (tempfile::tempdir().unwrap(), Sources::system());
        let path = folder.path().join("master.key");
        MasterKey::create(&path, &sources).unwrap();
        let address = database.address.parse().unwrap();
        let settings = Settings::new("http://localhost:8080".to_owned());
        let master_key = MasterKey::read(&path).unwrap();
        Iam::open(&address, master_key, settings, sources).await.unwrap()
    }

    #[tokio::test]
    async fn no_background_task_is_left_once_the_database_is_closed() {
        let database = TestDatabase::sqlite();
        let iam = opened(&database).await;
        iam.close().await;
        let (tokens, live_catalogue) =
            (Arc::strong_count(&iam.tokens), Arc::strong_count(&iam.live_catalogue));
        assert_eq!((tokens, live_catalogue), (1, 1));
        assert_eq!((Arc::strong_count(&iam.recorder), Arc::strong_count(&iam.views)), (1, 1));
    }
}
