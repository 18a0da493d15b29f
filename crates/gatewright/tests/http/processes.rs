//! Several processes on one database file: one server, and the operator's commands beside it.

use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;

use crate::server::{ACCOUNT, Server, Setup, run};

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
    assert_eq!(refused.status.code(), Some(1));
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
