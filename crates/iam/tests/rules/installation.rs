//! Sets up an installation with an account, and callers of its use cases.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright_iam::{
    AccountName, CheckResult, Client, ClientId, ClientInput, Clock, Context, Evaluation, Fault,
    Flow, Grant, GroupName, Iam, IamError, Instant, MasterKey, NewAccount, NewResource, Origin,
    PageRequest, Permissions, Policy, PolicyInput, Randomness, Secret, Settings, Sources,
    SubjectKind, UserInput,
};

pub(crate) const ACCOUNT: &str = "aa11111-ovh";
pub(crate) const OTHER: &str = "bb22222-ovh";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const INSTANT: Duration = Duration::from_micros(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// Thursday, 1 January 2026, 00:00 UTC.
const START: Instant = Instant::from_seconds(1_767_225_600);

pub(crate) const VPS: &str = "urn:v1:eu:resource:vps:web-1";
pub(crate) const REBOOT: &str = "vps:apiovh:reboot";

/// A clock that shows the time that a test has set.
pub(crate) struct TestClock {
    shown: AtomicI64,
    /// The time that has passed, in microseconds.
    passed: AtomicI64,
}

impl TestClock {
    fn new() -> Arc<Self> {
        Arc::new(Self { shown: START.micros().into(), passed: AtomicI64::new(0) })
    }

    fn jump(&self, micros: i64) {
        self.shown.fetch_add(micros, Ordering::Relaxed);
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let micros = time.as_micros().try_into().unwrap();
        self.passed.fetch_add(micros, Ordering::Relaxed);
        self.jump(micros);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.shown.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.passed.load(Ordering::Relaxed).unsigned_abs())
    }
}

/// A random generator that repeats the same numbers in each run.
struct Seeded(Mutex<fastrand::Rng>);

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), IamError> {
        self.0.lock().unwrap().fill(bytes);
        Ok(())
    }

    fn number(&self) -> u128 {
        self.0.lock().unwrap().u128(..)
    }
}

/// An installation with one account.
pub(crate) struct Installation {
    pub(crate) iam: Arc<Iam>,
    clock: Arc<TestClock>,
    settings: Settings,
    address: String,
    folder: tempfile::TempDir,
}

/// A service account, and the context of its requests.
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) secret: Secret,
    pub(crate) token: Secret,
    pub(crate) context: Context,
}

impl Caller {
    pub(crate) fn urn(&self) -> String {
        self.client.identity.clone().unwrap()
    }
}

fn sources(clock: &Arc<TestClock>, seed: u64) -> Sources {
    let randomness = Seeded(Mutex::new(fastrand::Rng::with_seed(seed)));
    Sources::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(randomness))
}

/// Opens the installation of a folder.
async fn open(
    (address, folder): (&str, &tempfile::TempDir),
    sources: Sources,
    settings: Settings,
) -> Arc<Iam> {
    let master = MasterKey::read(&folder.path().join("master.key")).unwrap();
    Iam::open(&address.parse().unwrap(), master, settings, sources).await.unwrap()
}

impl Installation {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Sets up an installation with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Box::pin(Self::on(None, change)).await
    }

    /// Sets up an installation on a database, or on a file of its own.
    pub(crate) async fn on(address: Option<&str>, change: impl FnOnce(&mut Settings)) -> Self {
        // A file system in memory, if there is one.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let key = folder.path().join("master.key");
        let mut settings =
            Settings { key_days: None, ..Settings::new("https://iam.test".to_owned()) };
        change(&mut settings);
        let clock = TestClock::new();
        MasterKey::create(&key, &sources(&clock, 41)).unwrap();
        let file = format!("sqlite:{}", folder.path().join("test.db").display());
        let address = address.map_or(file, str::to_owned);
        let iam = open((&address, &folder), sources(&clock, 42), settings.clone()).await;
        let installation = Self { iam, clock, settings, address, folder };
        installation.create_account(ACCOUNT).await.unwrap();
        installation
    }

    /// Opens the installation once more, as another process does.
    pub(crate) async fn elsewhere(&self) -> Arc<Iam> {
        self.elsewhere_by(&self.address).await
    }

    /// Opens the installation once more, with other settings.
    pub(crate) async fn elsewhere_with(&self, change: impl FnOnce(&mut Settings)) -> Arc<Iam> {
        let mut settings = self.settings.clone();
        change(&mut settings);
        open((&self.address, &self.folder), sources(&self.clock, 44), settings).await
    }

    /// Opens the installation once more, as another node whose clock is ahead.
    pub(crate) async fn elsewhere_ahead(&self, by: Duration) -> (Arc<Iam>, Arc<TestClock>) {
        let clock = TestClock::new();
        clock.jump(by.as_micros().try_into().unwrap());
        let at = (self.address.as_str(), &self.folder);
        (open(at, sources(&clock, 45), self.settings.clone()).await, clock)
    }

    /// Opens the installation once more, by another address of the same database.
    pub(crate) async fn elsewhere_by(&self, address: &str) -> Arc<Iam> {
        let (folder, settings) = (&self.folder, self.settings.clone());
        open((address, folder), sources(&self.clock, 43), settings).await
    }

    /// Opens the installation once more, with the clock of the machine: as another node does, for
    /// which time passes.
    pub(crate) async fn node(&self, address: &str) -> Arc<Iam> {
        open((address, &self.folder), Sources::system(), self.settings.clone()).await
    }

    /// Returns the address of the database.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the path of the database file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(crate) async fn create_account(&self, name: &str) -> Result<(), IamError> {
        let new = NewAccount {
            name: name.to_owned(),
            email: "owner@example.com".to_owned(),
            password: PASSWORD.to_owned().into(),
            service_account: false,
        };
        self.iam.create_account(new).await.map(drop)
    }

    pub(crate) fn now(&self) -> Instant {
        self.iam.now()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    /// Lets time pass, and the server look at its clock each minute.
    pub(crate) fn pass_in_minutes(&self, time: Duration) {
        for _ in 0..time.as_secs().div_ceil(60) {
            self.pass(Duration::from_mins(1));
            self.now();
        }
    }

    /// Sets the clock ahead while no time passes.
    pub(crate) fn jump_ahead(&self, time: Duration) {
        self.clock.jump(time.as_micros().try_into().unwrap());
        self.now();
    }

    /// Puts the clock back.
    pub(crate) fn jump_back(&self, time: Duration) {
        self.clock.jump(-i64::try_from(time.as_micros()).unwrap());
        self.now();
    }

    pub(crate) fn owner(&self) -> Context {
        self.iam.as_owner(&AccountName::new(ACCOUNT))
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            user_agent: "test".to_owned(),
            ip: Some(IpAddr::from([192, 0, 2, 1])),
            device: None,
            query_id: self.iam.new_query_id(),
            now: self.now(),
        }
    }

    /// Creates a service account without any permission.
    pub(crate) async fn stranger(&self) -> Caller {
        self.stranger_with("all").await
    }

    /// Creates a service account without any permission, with a token of the given scope.
    pub(crate) async fn stranger_with(&self, scope: &str) -> Caller {
        let input = ClientInput {
            name: "stranger".to_owned(),
            description: "has no right".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let (client, secret) = self.iam.create_client(&self.owner(), Ok(input)).await.unwrap();
        let grant = grant(&client.id, &secret, scope);
        let about = (None, self.iam.new_query_id(), self.now());
        let token = self.iam.issue(&grant, about).await.unwrap().access_token;
        let context = self.context_of(&token).await.unwrap();
        Caller { client, secret, token, context }
    }

    /// Creates the context of a request with a token.
    pub(crate) async fn context_of(&self, token: &Secret) -> Result<Context, IamError> {
        let now = self.now();
        let (principal, _) = self.iam.authenticate(token.reveal(), now).await?;
        let query_id = self.iam.new_query_id();
        Ok(Context { principal, ip: None, query_id, now, conditions: None })
    }

    /// Creates a user without a password.
    pub(crate) async fn user(&self, login: &str, groups: &[&str]) -> String {
        let input = UserInput {
            login: login.to_owned(),
            groups: groups.iter().map(|&group| GroupName::new(group)).collect(),
            ..UserInput::default()
        };
        self.iam.create_user(&self.owner(), Ok(input)).await.unwrap().urn
    }

    /// Creates a policy that allows actions on resources.
    pub(crate) async fn allow(&self, to: &str, actions: &[&str], resources: &[&str]) -> Policy {
        let permissions = Permissions { allow: texts(actions), ..Permissions::default() };
        self.policy(to, permissions, resources).await
    }

    pub(crate) async fn policy(
        &self,
        to: &str,
        permissions: Permissions,
        resources: &[&str],
    ) -> Policy {
        let input = PolicyInput {
            name: format!("p-{}", self.iam.new_nonce().unwrap()),
            identities: texts(&[to]),
            resources: texts(resources),
            permissions,
            ..PolicyInput::default()
        };
        self.iam.create_policy(&self.owner(), Ok(input)).await.unwrap()
    }

    pub(crate) async fn resource(&self, urn: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let input = NewResource {
            urn: urn.to_owned(),
            display_name: None,
            owner: None,
            tags: tags.collect(),
        };
        self.iam.create_resource(&self.owner(), Ok(input)).await.unwrap();
    }

    /// Checks whether a caller may perform an action on a resource.
    pub(crate) async fn may(&self, context: &Context, action: &str, urn: &str) -> bool {
        self.try_may(context, action, urn).await.unwrap()
    }

    pub(crate) async fn try_may(
        &self,
        context: &Context,
        action: &str,
        urn: &str,
    ) -> Result<bool, IamError> {
        let checked = self.iam.check(context, texts(&[urn]), Ok(texts(&[action]))).await?;
        let [CheckResult { authorized, .. }] = checked.as_slice() else { panic!("{checked:?}") };
        Ok(authorized == &[action])
    }

    /// Returns the number of the account's changes.
    pub(crate) async fn changes(&self) -> i64 {
        self.iam.verify_journal(&AccountName::new(ACCOUNT)).await.unwrap()
    }
}

pub(crate) fn grant(id: &ClientId, secret: &Secret, scope: &str) -> Grant {
    Grant {
        client_id: id.clone(),
        client_secret: secret.clone(),
        scope: Some(scope.to_owned()),
        projects: None,
    }
}

pub(crate) fn account_urn() -> String {
    format!("urn:v1:eu:resource:account:{ACCOUNT}")
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

pub(crate) fn page() -> Result<PageRequest, IamError> {
    PageRequest::new(None, None, "test")
}

/// Returns the input of a body that could not be parsed.
pub(crate) fn unread<T>() -> Result<T, IamError> {
    Err(IamError::invalid(Fault::Input, "the body cannot be read"))
}

/// Returns the fault of a refused input.
#[track_caller]
pub(crate) fn fault<T: std::fmt::Debug>(result: Result<T, IamError>) -> Fault {
    match result {
        Err(IamError::Invalid { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

/// Returns the object of a conflict.
#[track_caller]
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, IamError>) -> &'static str {
    match result {
        Err(IamError::Conflict { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn not_found<T: std::fmt::Debug>(result: Result<T, IamError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, IamError::NotFound), "{error:?}");
}

#[track_caller]
pub(crate) fn read_only<T: std::fmt::Debug>(result: Result<T, IamError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, IamError::ReadOnly(_)), "{error:?}");
}

#[track_caller]
pub(crate) fn bad_credential<T: std::fmt::Debug>(result: Result<T, IamError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, IamError::BadCredential), "{error:?}");
}

/// Builds an evaluation: whether a subject may reboot a server.
pub(crate) fn evaluation(kind: SubjectKind, subject: &str) -> Evaluation {
    Evaluation {
        subject_kind: Some(kind),
        subject: subject.to_owned(),
        action: REBOOT.to_owned(),
        resource_type: "vps".to_owned(),
        resource: "web-1".to_owned(),
        owner: None,
        properties: BTreeMap::new(),
        ip: None,
        at: None,
    }
}
