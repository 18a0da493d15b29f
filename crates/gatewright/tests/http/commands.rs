//! The command line: its errors, its exit codes and its help.

use std::process::Command;

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::json;

use crate::programs::free_port;
use crate::server::{ACCOUNT, PROGRAM, Server, Setup};

/// Runs the program to its end; returns its exit code and what it says on standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Runs a server that does not start.
fn serve(setup: &Setup) -> (Option<i32>, String) {
    let output = setup.serve().output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn setup_at(address: &str) -> Setup {
    Setup::new(&TestDatabase::at(address.to_owned()), &[])
}

#[test]
fn an_error_at_the_start_names_the_file_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let missing = at("missing/gatewright.db");
    let (code, said) = serve(&setup_at(&format!("sqlite:{missing}")));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&missing) && said.contains("folder does not exist"), "{said}");

    let (code, said) = serve(&setup_at(&format!("sqlite:{}", folder.path().display())));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--database must name a file"), "{said}");

    std::fs::write(
        at("text.db"),
        "this is no database, but a text of more than a hundred bytes. ".repeat(9),
    )
    .unwrap();
    let (code, said) = serve(&setup_at(&format!("sqlite:{}", at("text.db"))));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("text.db") && said.contains("not an SQLite database"), "{said}");
}

#[test]
fn whoever_rotates_the_key_at_once_is_told_when_servers_follow() {
    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let output = setup.command(&["key", "rotate", "--at-once"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("servers that run follow within a second"), "{said}");
}

#[test]
fn a_log_that_is_no_terminal_has_no_colours() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/gatewright.db");
    let setup = setup_at(&format!("sqlite:{}", missing.display()));
    let setup = setup.with(&["--log-format", "text", "--plate", "eu"]);
    let (_, said) = serve(&setup);
    assert!(said.contains("a deprecated setting is used") && said.contains("WARN"), "{said}");
    assert!(!said.contains('\x1b'), "{said}");
}

#[test]
fn an_error_at_the_start_names_the_server_of_the_database() {
    let port = free_port();
    let setup = setup_at(&format!("postgres://me:hunter2@127.0.0.1:{port}/nowhere"))
        .with(&["--database-timeout", "1"]);
    let (code, said) = serve(&setup);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("postgres://127.0.0.1:{port}/nowhere")), "{said}");
    assert!(said.contains("check that PostgreSQL is running"), "{said}");
    assert!(said.contains("onnection refused"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_database_that_the_server_does_not_have_is_named() {
    let Some(database) = TestDatabase::postgres_if_any().await else { return };
    let (server, _) = database.address.rsplit_once('/').unwrap();
    let (code, said) = serve(&setup_at(&format!("{server}/not_there")));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/not_there cannot be opened: create the database"), "{said}");
}

#[test]
fn wrong_usage_and_configuration_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let key = at("master.key");
    assert_eq!(run(&["key", "create", "--file", &key]).0, Some(0));
    std::fs::write(at("wrong.toml"), "databse = 'sqlite:x.db'").unwrap();
    std::fs::write(at("short.key"), "short").unwrap();
    let database = format!("sqlite:{}", at("gatewright.db"));
    let usual = ["--database", &database, "--master-key"];
    let with_key = |key: &str| [&["serve"][..], &usual, &[key]].concat().join(" ");
    let create = ["account", "create", "--email", "a@example.com", "--name"].join(" ");
    for (arguments, part) in [
        ("serve --no-such-flag".to_owned(), "--no-such-flag"),
        ("nonsense".to_owned(), "nonsense"),
        ("serve --listen nowhere".to_owned(), "nowhere"),
        ("serve".to_owned(), "--database is missing"),
        (format!("serve --config {}", at("gone.toml")), "gone.toml"),
        (format!("serve --config {}", at("wrong.toml")), "databse"),
        ("serve --database mysql://x --master-key k".to_owned(), "sqlite:PATH"),
        (format!("{} --algorithm X", with_key(&key)), "--algorithm"),
        (with_key(&at("gone.key")), "gone.key"),
        (with_key(&at("short.key")), "short.key"),
        (format!("key rotate {} {key}", usual.join(" ")), "there is no database at"),
        (format!("{} --products {}", with_key(&key), at("gone")), "gone"),
        (format!("key create --file {}", at("gone/master.key")), "gone/master.key"),
        (format!("{create} not-an-account {} {key}", usual.join(" ")), "not-an-account"),
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let (code, said) = run(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn a_misspelled_variable_is_warned_about() {
    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let mut verify = setup.command(&["journal", "verify"]);
    verify.env("GATEWRIGHT_MAX_POLICY", "7").env("GATEWRIGHT_VERSION", "1.2");
    let output = verify.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("did you mean GATEWRIGHT_MAX_POLICIES?"), "{said}");
    assert!(!said.contains("GATEWRIGHT_VERSION"), "{said}");
}

#[cfg(unix)]
#[test]
fn whichever_command_makes_the_database_it_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let database = TestDatabase::sqlite();
    Setup::new(&database, &[]).create_account(ACCOUNT);
    let file = database.address.strip_prefix("sqlite:").unwrap();
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

#[tokio::test]
async fn a_user_of_postgres_without_privileges_is_told_which() {
    let Some(database) = TestDatabase::postgres_if_any().await else { return };
    let (server, name) = database.address.rsplit_once('/').unwrap();
    let (_, host) = server.rsplit_once('@').unwrap();
    let user = format!("user_of_{name}");
    database.run(&format!("CREATE ROLE {user} LOGIN")).await;
    let setup = setup_at(&format!("postgres://{user}@{host}/{name}"));
    database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let (code, said) = serve(&setup);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("GRANT CREATE ON SCHEMA public"), "{said}");
    database.run(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")).await;
    let (code, said) = serve(&setup);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("GRANT CONNECT ON DATABASE"), "{said}");
    database.run(&format!("DROP ROLE {user}")).await;
}

on_both_databases!(an_altered_journal_ends_with_3);
async fn an_altered_journal_ends_with_3(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let verify = || setup.command(&["journal", "verify"]).output().unwrap();
    assert_eq!(verify().status.code(), Some(0));
    database.run("UPDATE journal SET actor = 'another' WHERE revision = 1").await;
    let output = verify();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("was altered"), "{said}");
}

on_both_databases!(policies_to_review_are_listed_with_the_reason_and_end_with_1);
async fn policies_to_review_are_listed_with_the_reason_and_end_with_1(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let lint = |account: &[&str]| {
        let command = [&["policy", "lint"], account].concat();
        let output = server.setup().command(&command).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    // The policy of the first service account allows everything.
    let (_, before) = lint(&[]);
    let policy = json!({
        "name": "for-nobody", "identities": [], "resources": [{"urn": "urn:v1:eu:resource:vps:a"}],
        "permissions": {"allow": [{"action": "vps:apiovh:get"}]},
    });
    let made = admin.post("/v2/iam/policy", &policy).await.expect(200);
    let id = made["id"].as_str().unwrap();
    for account in [&[][..], &["--account", ACCOUNT]] {
        let (code, said) = lint(account);
        assert_eq!(code, Some(1));
        assert_eq!(said.len(), before.len() + 1, "{said:?}");
        let line = format!("{ACCOUNT}: policy for-nobody ({id}): identities: it names none");
        assert!(said.contains(&line), "{said:?}");
    }
    admin.delete(&format!("/v2/iam/policy/{id}")).await.expect(204);
    let [of_admin] = before.as_slice() else { panic!("{before:?}") };
    let id = of_admin.split(['(', ')']).nth(1).unwrap();
    admin.delete(&format!("/v2/iam/policy/{id}")).await.expect(204);
    assert_eq!(lint(&[]), (Some(0), Vec::new()));
    assert_eq!(lint(&["--account", "zz9-ovh"]).0, Some(2));
}

on_both_databases!(the_journal_of_an_account_that_is_not_there_is_not_verified);
async fn the_journal_of_an_account_that_is_not_there_is_not_verified(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let (done, said) = setup.run(&["journal", "verify", "--account", ACCOUNT]);
    assert!(done && said.contains("the chain holds"), "{said}");
    let (done, said) = setup.run(&["journal", "verify", "--account", "zz9-ovh"]);
    assert!(!done && said.contains("there is no account zz9-ovh"), "{said}");
}

#[test]
fn help_says_how_a_command_ends_and_what_matters_to_it() {
    let help = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(help(&["--help"]).contains("Exit codes: 0 for success"));
    let rotate = help(&["key", "rotate", "--help"]);
    assert!(rotate.contains("--at-once") && rotate.contains("--database"), "{rotate}");
    assert!(!rotate.contains("--trusted-proxies"), "{rotate}");
    assert!(help(&["serve", "--help"]).contains("--trusted-proxies"));
}
