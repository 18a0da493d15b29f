//! Several processes on one database file: one server, and the operator's commands beside it.

use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;
use serde_json::json;

use crate::server::{ACCOUNT, Server, Setup, http, run};

/// Polls until a condition holds.
async fn until(holds: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_does_not_start() {
    let database = TestDatabase::sqlite();
    let mut server = Server::start(&database);
    let second = server.setup().serve().output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another server is running on the database"), "{said}");
    let admin = server.admin().await;
    admin.get("/v1/auth/details").await.expect(200);
    // A server that was killed leaves nothing behind that keeps the next from starting.
    server.crash();
    server.admin().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_second_server_does_not_start_by_another_name_of_the_file() {
    let database = TestDatabase::sqlite();
    let mut server = Server::start(&database);
    let file = database.address.strip_prefix("sqlite:").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(file, &link).unwrap();
    let other = server.setup().at(&format!("sqlite:{}", link.display()));
    let said = other.serve().output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("another server is running on the database"), "{said}");
    // Commands by the link find the server's own log, beside the file.
    let (done, said) = other.run(&["journal", "verify"]);
    assert!(done, "{said}");
    // A server that was killed leaves nothing behind.
    server.crash();

    // By a hard link, SQLite would keep a second log.
    let hard = std::path::Path::new(file).with_file_name("hard.db");
    std::fs::hard_link(file, &hard).unwrap();
    let other = server.setup().at(&format!("sqlite:{}", hard.display()));
    let said = String::from_utf8(other.serve().output().unwrap().stderr).unwrap();
    assert!(said.contains("another server is running on the database"), "{said}");
    let (done, said) = other.run(&["key", "rotate"]);
    assert!(!done && said.contains("by another path"), "{said}");
    server.stop();
    let said = String::from_utf8(other.serve().output().unwrap().stderr).unwrap();
    assert!(said.contains("several names"), "{said}");
    std::fs::remove_file(hard).unwrap();
    server.restart();
    server.admin().await.get("/v1/auth/details").await.expect(200);
}

#[tokio::test]
async fn what_is_acknowledged_is_kept_when_the_log_of_the_file_is_removed() {
    let database = TestDatabase::sqlite();
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let file = database.address.strip_prefix("sqlite:").unwrap();
    let new =
        |name: String| json!({"name": name, "description": "x", "flow": "CLIENT_CREDENTIALS"});
    let mut acknowledged = 0;
    for number in 0..40 {
        if number % 10 == 5 {
            std::fs::remove_file(format!("{file}-wal")).unwrap();
            // The server may have noticed already, and closed the file.
            let _ = std::fs::remove_file(format!("{file}-shm"));
        }
        let body = new(format!("n{number}"));
        until(async || {
            let status = admin.post("/v1/me/api/oauth2/client", &body).await.status;
            assert!([200, 503].contains(&status), "{status}");
            status == 200
        })
        .await;
        acknowledged += 1;
    }
    server.crash();
    let admin = server.admin().await;
    let all = admin.get("/v1/me/api/oauth2/client").await.expect(200);
    // The first is the one that the account began with.
    assert_eq!(all.as_array().unwrap().len(), acknowledged + 1);
    let (done, said) = server.setup().run(&["journal", "verify"]);
    assert!(done, "{said}");
}

#[tokio::test]
async fn a_copy_beside_the_log_of_the_database_makes_the_server_unready_and_is_left_alone() {
    let database = TestDatabase::sqlite();
    let file = database.address.strip_prefix("sqlite:").unwrap();
    let mut server = Server::start(&database);
    assert!(server.stop().success());
    let copy = format!("{file}-copy");
    std::fs::copy(file, &copy).unwrap();
    server.restart();
    let admin = server.admin().await;
    server.stranger(&admin).await;
    std::fs::rename(&copy, file).unwrap();
    let readiness = async || {
        let answer = http().get(format!("{}/readyz", server.operations)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    until(async || readiness().await.0 == 503).await;
    until(async || readiness().await.1.contains("is another database than the one that was open"))
        .await;
    let (_, said) = readiness().await;
    assert!(said.contains("-wal"), "{said}");
    // A command would apply that log to the copy.
    let (done, said) = server.setup().run(&["journal", "verify"]);
    assert!(!done && said.contains("does not have it open"), "{said}");
    assert_eq!(admin.get("/v2/iam/policy").await.status, 503);
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{file}{ending}")).unwrap();
    }
    // The log belongs to a database that is no more, and so the server opens the copy.
    until(async || readiness().await.0 == 200).await;
}

#[tokio::test]
async fn a_second_trial_server_on_the_same_folder_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let database =
        TestDatabase::at(format!("sqlite:{}", folder.path().join("gatewright.db").display()));
    let _server = Server::start(&database);
    let data = folder.path().display().to_string();
    let (started, said) = run(&["dev", "--listen", "127.0.0.1:0", "--data", &data]);
    assert!(!started);
    assert!(said.contains("another server is running on the database"), "{said}");
}

#[tokio::test]
async fn what_the_operator_does_beside_a_server_is_in_force() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let made = server.setup().create_account("yy1-ovh");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let other = server.login(&text("clientId"), &text("clientSecret")).await;
    other.get("/v1/auth/details").await.expect(200);

    let (done, said) = server.setup().run(&["journal", "verify"]);
    assert!(done && said.contains(ACCOUNT), "{said}");

    let (done, said) = server.setup().run(&["key", "rotate", "--at-once"]);
    assert!(done, "{said}");
    until(async || admin.get("/v1/auth/details").await.status == 401).await;
    let admin = server.admin().await;
    admin.get("/v1/auth/details").await.expect(200);
}

#[test]
fn a_command_refuses_a_database_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("typo.db");
    let setup = Setup::new(&TestDatabase::at(format!("sqlite:{}", database.display())), &[]);
    for command in [&["key", "rotate", "--at-once"][..], &["journal", "verify"]] {
        let (done, said) = setup.run(command);
        assert!(!done && said.contains("there is no database at"), "{said}");
        assert!(!database.exists());
    }
}

#[test]
fn a_server_behind_https_does_not_start_before_it_knows_its_proxies() {
    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &["--public-url", "https://iam.test"]);
    let refused = setup.serve().output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("--trusted-proxies is missing"), "{said}");
    // The commands beside a server have no clients.
    setup.create_account(ACCOUNT);
}

#[test]
fn whoever_makes_a_second_account_is_told_of_registrars() {
    let database = TestDatabase::sqlite();
    let create = |setup: &Setup, name: &str| {
        let command = ["account", "create", "--name", name, "--email", "owner@example.com"];
        let (done, said) = setup.run(&command);
        assert!(done, "{said}");
        said
    };
    let setup = Setup::new(&database, &[]);
    assert!(!create(&setup, ACCOUNT).contains("registrars"));
    assert!(create(&setup, "yy1-ovh").contains("name those that may in the setting registrars"));
    let with = setup.with(&["--registrars", ACCOUNT]);
    assert!(!create(&with, "zz1-ovh").contains("registrars"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_of_the_database_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatewright.db");
    let server = Server::start(&TestDatabase::at(format!("sqlite:{}", file.display())));
    server.admin().await.get("/v1/auth/details").await.expect(200);
    for name in ["gatewright.db", "gatewright.db-wal", "gatewright.db-shm"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}
