//! The real program, started for one test, and a client of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use gatewright_testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_gatewright");
pub(crate) const ACCOUNT: &str = "xx11111-ovh";

/// The flags of a server whose public URL is https, without a proxy that it trusts.
pub(crate) const HTTPS: [&str; 4] =
    ["--public-url", "https://iam.test", "--trusted-proxies", "none"];

/// Creates a client that trusts no certificate: loading the system's takes longer than a test.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

/// A server with one account, whose service account has full access.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) operations: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The password of the account's owner.
    pub(crate) password: String,
    /// The port for Envoy's gRPC, if the test has chosen one.
    pub(crate) grpc: Option<u16>,
    setup: Setup,
}

/// The database, the master key and the flags of a server.
#[derive(Clone)]
pub(crate) struct Setup {
    database: String,
    master_key: PathBuf,
    flags: Vec<String>,
    _folder: std::sync::Arc<tempfile::TempDir>,
}

impl Setup {
    pub(crate) fn new(database: &TestDatabase, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master_key = folder.path().join("master.key");
        let file = master_key.to_str().unwrap();
        assert!(run(&["key", "create", "--file", file]).0);
        Self {
            database: database.address.clone(),
            master_key,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            _folder: folder.into(),
        }
    }

    /// Returns the same setup with more flags.
    pub(crate) fn with(&self, flags: &[&str]) -> Self {
        let mut setup = self.clone();
        setup.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        setup
    }

    /// Returns the same setup with the database at another address.
    pub(crate) fn at(&self, address: &str) -> Self {
        let mut setup = self.clone();
        address.clone_into(&mut setup.database);
        setup
    }

    fn arguments(&self) -> Vec<String> {
        let key = self.master_key.display().to_string();
        let mut all = vec!["--database".to_owned(), self.database.clone()];
        all.extend(["--master-key".to_owned(), key]);
        all.extend(self.flags.iter().cloned());
        all
    }

    /// Runs a command with the same settings; returns whether it succeeded, and its output.
    pub(crate) fn run(&self, command: &[&str]) -> (bool, String) {
        let arguments = self.arguments();
        let all: Vec<&str> =
            command.iter().copied().chain(arguments.iter().map(String::as_str)).collect();
        run(&all)
    }

    pub(crate) fn create_account(&self, name: &str) -> Value {
        let email = "owner@example.com";
        let command =
            ["account", "create", "--name", name, "--email", email, "--service-account", "--json"];
        let (done, said) = self.run(&command);
        assert!(done, "{said}");
        // With several accounts, a warning follows.
        serde_json::from_str(said.lines().next().unwrap()).unwrap()
    }

    /// Returns the path of the master key.
    pub(crate) fn master_key(&self) -> &Path {
        &self.master_key
    }

    /// Returns a command with the same settings.
    pub(crate) fn command(&self, command: &[&str]) -> Command {
        let mut program = Command::new(PROGRAM);
        program.args(command).args(self.arguments());
        program
    }

    /// Returns the command that starts the server.
    pub(crate) fn serve(&self) -> Command {
        let local = "127.0.0.1:0";
        let mut command = Command::new(PROGRAM);
        command.arg("serve");
        for flag in ["--listen", "--operations-listen"] {
            if !self.flags.iter().any(|one| one == flag) {
                command.args([flag, local]);
            }
        }
        command.args(self.arguments()).stdout(Stdio::null());
        command
    }

    /// Starts the program, and waits until it says that it is ready.
    pub(crate) fn spawn(&self) -> (Child, String, String) {
        Self::wait_until_ready(self.serve())
    }

    /// Starts the program in a shell, after another command; waits until it is ready.
    #[cfg(unix)]
    fn spawn_under(&self, first: &str) -> (Child, String, String) {
        let serve = self.serve();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]);
        command.arg(serve.get_program()).args(serve.get_args()).stdout(Stdio::null());
        Self::wait_until_ready(command)
    }

    /// Starts the program with its SQLite database on a small disk of its own, which is seen at
    /// [`Server::small_disk`]; waits until it is ready.
    #[cfg(target_os = "linux")]
    pub(crate) fn spawn_on_small_disk(&self, mib: u32) -> (Child, String, String) {
        let path = self.database.strip_prefix("sqlite:").unwrap();
        let folder = std::path::Path::new(path).parent().unwrap().display().to_string();
        let disk = tempfile::tempdir().unwrap().keep().display().to_string();
        let mount = format!(
            "mount -t tmpfs -o size={mib}m small {disk} && cp -a {folder}/. {disk} \
             && mount --bind {disk} {folder} && exec \"$0\" \"$@\""
        );
        let serve = self.serve();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &mount]);
        command.arg(serve.get_program()).args(serve.get_args()).stdout(Stdio::null());
        Self::wait_until_ready(command)
    }

    fn wait_until_ready(mut command: Command) -> (Child, String, String) {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, ready) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "ready" {
                    let address = |name: &str| format!("http://{}", entry[name].as_str().unwrap());
                    let _ = sender.send((address("address"), address("operations")));
                } else if entry["level"] == "ERROR" || entry.is_null() {
                    eprintln!("{line}");
                }
            }
        });
        let (url, operations) = ready.recv_timeout(Duration::from_secs(30)).expect("a server");
        (child, url, operations)
    }
}

/// Runs the program to its end; returns whether it succeeded, and its output.
pub(crate) fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

impl Server {
    pub(crate) fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[])
    }

    pub(crate) fn start_with(database: &TestDatabase, flags: &[&str]) -> Self {
        Self::start_as(database, flags, Setup::spawn)
    }

    /// Starts a server that knows its database by another address than the commands.
    pub(crate) fn start_at(database: &TestDatabase, flags: &[&str], address: &str) -> Self {
        Self::start_as(database, flags, |setup| setup.at(address).spawn())
    }

    /// Starts a server in a shell, after another command, which may set limits.
    #[cfg(unix)]
    pub(crate) fn start_under(database: &TestDatabase, first: &str, flags: &[&str]) -> Self {
        Self::start_as(database, flags, |setup| setup.spawn_under(first))
    }

    fn start_as(
        database: &TestDatabase,
        flags: &[&str],
        spawn: impl FnOnce(&Setup) -> (Child, String, String),
    ) -> Self {
        let setup = Setup::new(database, flags);
        let robot = setup.create_account(ACCOUNT);
        let (child, url, operations) = spawn(&setup);
        let text = |name: &str| robot[name].as_str().unwrap().to_owned();
        let (client_id, client_secret) = (text("clientId"), text("clientSecret"));
        let password = text("password");
        let grpc = None;
        Self { child, url, operations, client_id, client_secret, password, grpc, setup }
    }

    /// Starts a server with its SQLite database on a small disk of its own.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_on_small_disk(database: &TestDatabase, mib: u32, flags: &[&str]) -> Self {
        Self::start_as(database, flags, |setup| setup.spawn_on_small_disk(mib))
    }

    /// Returns the path at which the folder of the database is seen, on the server's own disk.
    #[cfg(target_os = "linux")]
    pub(crate) fn small_disk(&self) -> PathBuf {
        let path = self.setup.database.strip_prefix("sqlite:").unwrap();
        let folder = std::path::Path::new(path).parent().unwrap();
        let root = PathBuf::from(format!("/proc/{}/root", self.process()));
        root.join(folder.strip_prefix("/").unwrap())
    }

    /// Returns the identifier of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Returns a caller with full access.
    pub(crate) async fn admin(&self) -> Caller {
        self.login(&self.client_id, &self.client_secret).await
    }

    pub(crate) async fn login(&self, id: &str, secret: &str) -> Caller {
        self.login_for(id, secret, "all").await
    }

    pub(crate) async fn login_for(&self, id: &str, secret: &str, scope: &str) -> Caller {
        let reply = self.token(id, secret, scope).await;
        let token = reply.body["access_token"].as_str().expect("a token").to_owned();
        Caller { http: http(), url: self.url.clone(), token, id: id.to_owned() }
    }

    pub(crate) async fn token(&self, id: &str, secret: &str, scope: &str) -> Reply {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let request = http().post(format!("{}/auth/oauth2/token", self.url));
        Reply::of(request.basic_auth(id, Some(secret)).form(&form)).await
    }

    /// Returns a caller with the given token.
    pub(crate) fn bearing(&self, token: &str) -> Caller {
        let url = self.url.clone();
        Caller { http: http(), url, token: token.to_owned(), id: String::new() }
    }

    /// Creates a service account without any permission.
    pub(crate) async fn stranger(&self, admin: &Caller) -> Caller {
        let new = json!({"name": "x", "description": "y", "flow": "CLIENT_CREDENTIALS"});
        let made = admin.post("/v1/me/api/oauth2/client", &new).await.expect(200);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.login(&text("clientId"), &text("clientSecret")).await
    }

    /// Kills the program at once, and starts it again.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.restart();
    }

    /// Stops the program as an operator does; returns its exit status.
    pub(crate) fn stop(&mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    pub(crate) fn restart(&mut self) {
        (self.child, self.url, self.operations) = self.setup.spawn();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A caller with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) id: String,
}

impl Caller {
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// Returns the URN that policies name this caller by.
    pub(crate) fn urn(&self) -> String {
        format!("urn:v1:eu:identity:credential:{ACCOUNT}/oauth2-{}", self.id)
    }

    /// Checks whether this caller may perform an action on a resource.
    #[must_use]
    pub(crate) async fn may(&self, action: &str, urn: &str) -> bool {
        let body = json!({"actions": [action], "resourceURNs": [urn]});
        let answer = self.post("/v2/iam/authorization/check", &body).await.expect(200);
        answer[0]["authorizedActions"] == json!([action])
    }

    /// Creates a policy that allows a caller one action, or pattern, on one resource.
    pub(crate) async fn allow(&self, name: &str, to: &Caller, action: &str, urn: &str) -> Value {
        let body = json!({
            "name": name,
            "identities": [to.urn()],
            "resources": [{"urn": urn}],
            "permissions": {"allow": [{"action": action}]},
        });
        self.post("/v2/iam/policy", &body).await.expect(200)
    }
}

/// A response. A test that drops it unread tests nothing.
#[must_use]
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
        };
        Self { status, headers, body }
    }

    /// Returns the body, after checking the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that the request succeeded, whatever it answers.
    #[track_caller]
    pub(crate) fn done(self) {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
    }

    /// Returns the message of an error, after checking its status and class.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, class: &str) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["class"], class, "{}", self.body);
        assert!(!self.header("x-ovh-queryid").is_empty());
        if let Some(details) = self.body.get("details") {
            assert!(details.as_object().unwrap().values().all(Value::is_string), "{details}");
        }
        self.body["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Encodes a text as one segment of a path.
pub(crate) fn part(text: &str) -> String {
    text.bytes()
        .map(
            |b| {
                if b.is_ascii_alphanumeric() {
                    (b as char).to_string()
                } else {
                    format!("%{b:02X}")
                }
            },
        )
        .collect()
}
