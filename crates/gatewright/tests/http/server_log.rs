//! The program's log, as operators read it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::programs::Running;
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
