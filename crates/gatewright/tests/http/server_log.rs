//! The program's log, as operators read it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::panel_client::PanelClient;
use crate::programs::{Running, free_port, listens};
use crate::server::{ACCOUNT, Reply, Setup, http};

/// A server that logs to a file.
struct Logged {
    log: PathBuf,
    url: String,
    _program: Running,
}

impl Logged {
    async fn start(setup: &Setup, folder: &Path) -> Self {
        let log = folder.join("log");
        let program = setup.serve().stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut server = Self { log, url: String::new(), _program: Running(program) };
        let ready = server.event(|event| event["message"] == "ready").await;
        server.url = format!("http://{}", ready["address"].as_str().unwrap());
        server
    }

    /// Waits for an event in the log.
    async fn event(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&self.log).unwrap();
            let mut events = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            if let Some(event) = events.find(|event| wanted(event)) {
                return event;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "it is not in the log:\n{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

on_both_databases!(a_database_without_accounts_is_warned_of_with_the_command_that_makes_one);
async fn a_database_without_accounts_is_warned_of_with_the_command_that_makes_one(
    database: TestDatabase,
) {
    let setup = Setup::new(&database, &["--registrars", ACCOUNT]);
    let said = async || {
        let folder = tempfile::tempdir().unwrap();
        let server = Logged::start(&setup, folder.path()).await;
        std::fs::read_to_string(&server.log).unwrap()
    };
    let empty = said().await;
    assert!(empty.contains("gatewright account create --name"), "{empty}");
    assert!(empty.contains("a registrar is no account of this database"), "{empty}");
    setup.create_account(ACCOUNT);
    let with_account = said().await;
    assert!(!with_account.contains("no account"), "{with_account}");
}

on_both_databases!(a_failure_is_in_the_log_with_its_query_id_and_all_its_causes);
async fn a_failure_is_in_the_log_with_its_query_id_and_all_its_causes(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    let account = setup.create_account(ACCOUNT);
    let folder = tempfile::tempdir().unwrap();
    let server = Logged::start(&setup, folder.path()).await;
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    let request = http().post(format!("{}/auth/oauth2/token", server.url)).form(&form);
    let (id, secret) = (account["clientId"].as_str().unwrap(), account["clientSecret"].as_str());
    let token = Reply::of(request.basic_auth(id, secret)).await.expect(200);
    let token = token["access_token"].as_str().unwrap();
    let policies = || http().get(format!("{}/v2/iam/policy", server.url)).bearer_auth(token);
    assert_eq!(Reply::of(policies()).await.status, 200);
    database.run("ALTER TABLE object RENAME TO gone").await;

    let reply = Reply::of(policies()).await;
    let query_id = reply.header("x-ovh-queryid").to_owned();
    let message = reply.refused(500, "Server::InternalServerError");
    assert!(message.contains("database is broken"), "trying again does not help: {message}");
    let failed = |event: &Value| event["message"] == "failed" && event["query_id"] == *query_id;
    let event = server.event(failed).await;
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["span"]["query_id"], json!(query_id), "the span has it as well");
    // The chain of causes, from the response's message down to the database's error.
    let cause = event["cause"].as_str().unwrap();
    assert!(cause.contains("object") && cause.matches(": ").count() >= 2, "{cause}");
}

on_both_databases!(a_change_of_readiness_is_in_the_log_once);
async fn a_change_of_readiness_is_in_the_log_once(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let folder = tempfile::tempdir().unwrap();
    let server = Logged::start(&setup, folder.path()).await;
    let ready = server.event(|event| event["message"] == "ready").await;
    let url = format!("http://{}/readyz", ready["operations"].as_str().unwrap());
    let asked = async || http().get(&url).send().await.unwrap().status();
    assert_eq!(asked().await, 200);
    database.run("ALTER TABLE account RENAME TO gone").await;
    assert_eq!((asked().await, asked().await), (503.try_into().unwrap(), 503.try_into().unwrap()));
    database.run("ALTER TABLE gone RENAME TO account").await;
    assert_eq!((asked().await, asked().await), (200.try_into().unwrap(), 200.try_into().unwrap()));
    server.event(|event| event["message"] == "ready again").await;
    let event = server.event(|event| event["message"] == "not ready").await;
    assert_eq!(event["level"], "WARN");
    assert!(event["error"].as_str().unwrap().contains("account"), "{event}");
    let text = std::fs::read_to_string(&server.log).unwrap();
    assert_eq!(text.matches("\"not ready\"").count(), 1, "{text}");
    assert_eq!(text.matches("\"ready again\"").count(), 1, "{text}");
}

#[cfg(unix)]
#[tokio::test]
async fn operators_read_of_throttling_wrong_secrets_rotations_and_settings() {
    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &["--rate-writes", "1", "--max-policies", "77"]);
    let account = setup.create_account(ACCOUNT);
    let folder = tempfile::tempdir().unwrap();
    let server = Logged::start(&setup, folder.path()).await;
    let with_message = |message: &'static str| move |event: &Value| event["message"] == message;
    let settings = server.event(with_message("settings")).await;
    let given: Value = serde_json::from_str(settings["given"].as_str().unwrap()).unwrap();
    assert_eq!((&given["max-policies"], &given["rate-writes"]), (&json!(77), &json!(1)));
    assert_eq!((&given["master-key"], &given["max-clients"]), (&Value::Null, &Value::Null));

    let (id, secret) = (account["clientId"].as_str().unwrap(), account["clientSecret"].as_str());
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    let token = async |secret: Option<&str>| {
        let request = http().post(format!("{}/auth/oauth2/token", server.url)).form(&form);
        Reply::of(request.basic_auth(id, secret)).await
    };
    assert_eq!(token(Some("hunter2-wrong")).await.status, 401);
    let refused = server.event(with_message("token requests refused")).await;
    assert_eq!((&refused["account"], &refused["ip"]), (&json!(ACCOUNT), &json!("127.0.0.1")));

    let token = token(secret).await.expect(200)["access_token"].as_str().unwrap().to_owned();
    for _ in 0..30 {
        let change = http().put(format!("{}/v1/me", server.url)).bearer_auth(&token);
        change.json(&json!({"city": "Roubaix"})).send().await.unwrap();
    }
    let limited = server.event(with_message("requests are refused for their rate")).await;
    assert_eq!((&limited["level"], &limited["account"]), (&json!("WARN"), &json!(ACCOUNT)));
    assert_eq!(limited["limit"], "writes-per-credential");

    let mut visitor = PanelClient::at(&server.url);
    visitor.sign_in(ACCOUNT, "hunter2-wrong").await;
    let failed = server.event(with_message("sign-ins failed")).await;
    assert_eq!((&failed["account"], &failed["count"]), (&json!(ACCOUNT), &json!(1)));

    assert!(setup.run(&["key", "rotate", "--at-once"]).0);
    for message in ["a signing key was added", "a signing key was removed"] {
        let event = server.event(with_message(message)).await;
        assert_eq!(event["level"], "INFO");
    }

    let text = std::fs::read_to_string(&server.log).unwrap();
    assert_eq!(text.matches("requests are refused for their rate").count(), 1);
    for hidden in ["hunter2", secret.unwrap(), &token] {
        assert!(!text.contains(hidden), "{hidden} is in the log");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn operators_read_of_a_master_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;

    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let key = setup.master_key();
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Logged::start(&setup, folder.path()).await;
    let message = "others can read the master key: run chmod 600";
    let event = server.event(|event| event["message"] == message).await;
    assert_eq!((&event["level"], &event["mode"]), (&json!("WARN"), &json!("644")));
}

/// A server whose log goes to an output of the test's choice.
struct Muted {
    program: Running,
    url: String,
    operations: String,
}

impl Muted {
    /// Starts a server, and waits until it is ready.
    async fn start(database: &TestDatabase, output: impl Into<Stdio>) -> Self {
        let (port, operations) = (free_port(), free_port());
        let address = |port: u16| format!("127.0.0.1:{port}");
        let listen = ["--listen", &address(port), "--operations-listen", &address(operations)];
        let setup = Setup::new(database, &listen);
        setup.create_account(ACCOUNT);
        let program = Running(setup.serve().stderr(output).spawn().unwrap());
        listens(operations).await;
        listens(port).await;
        let (url, operations) =
            (format!("http://{}", address(port)), format!("http://{}", address(operations)));
        Self { program, url, operations }
    }

    /// Makes a request of which the log says something; the server must answer.
    async fn is_asked(&self) {
        let answer = http().get(format!("{}/v2/nothing", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }

    /// Returns the number of lines of the log that were lost.
    async fn lost(&self) -> u64 {
        let text = http().get(format!("{}/metrics", self.operations)).send().await.unwrap();
        let text = text.text().await.unwrap();
        let name = "gatewright_server_log_lines_lost_total ";
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

#[cfg(target_os = "linux")]
on_both_databases!(a_log_on_a_full_disk_ends_no_server_and_its_lost_lines_are_counted);
#[cfg(target_os = "linux")]
async fn a_log_on_a_full_disk_ends_no_server_and_its_lost_lines_are_counted(
    database: TestDatabase,
) {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let server = Muted::start(&database, full).await;
    for _ in 0..10 {
        server.is_asked().await;
    }
    assert!(server.lost().await >= 10, "{}", server.lost().await);
}

#[tokio::test]
async fn a_log_that_nobody_reads_any_more_ends_no_server() {
    let database = TestDatabase::sqlite();
    let mut server = Muted::start(&database, Stdio::piped()).await;
    drop(server.program.0.stderr.take());
    for _ in 0..10 {
        server.is_asked().await;
    }
    assert!(server.lost().await >= 10, "{}", server.lost().await);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn once_the_log_can_be_written_again_a_line_says_how_many_were_lost() {
    const ROOM: u64 = 64 << 20;
    let database = TestDatabase::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = File::options().append(true).create(true).open(&path).unwrap();
    // Empty, but nearly as long as files may be.
    log.set_len(ROOM - 100).unwrap();
    let server = Muted::start(&database, log).await;
    let limit = |limit: &str| {
        let process = server.program.0.id().to_string();
        let limit = format!("--fsize={limit}:");
        let set = std::process::Command::new("prlimit").args(["--pid", &process, &limit]).status();
        assert!(set.unwrap().success());
    };
    limit(&ROOM.to_string());
    for _ in 0..10 {
        server.is_asked().await;
    }
    let lost = server.lost().await;
    assert!(lost >= 10, "{lost}");
    limit("unlimited");
    server.is_asked().await;
    let text = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(text.get(usize::try_from(ROOM).unwrap() - 100..).unwrap());
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = events.filter(|event| event["message"] == "lines of the log were lost");
    let told: Vec<_> = told.map(|event| event["lines"].as_u64().unwrap()).collect();
    assert_eq!(told, [lost]);
    assert_eq!(server.lost().await, lost);
}
