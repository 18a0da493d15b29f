//! Tasks of operators: set-up, start, stop, monitoring.

use std::process::{Command, Stdio};

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, HTTPS, PROGRAM, Server, Setup, http, run};

on_both_databases!(the_listener_for_operators_says_how_it_goes);
async fn the_listener_for_operators_says_how_it_goes(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    assert!(admin.may("vps:apiovh:get", "urn:v1:eu:resource:vps:a").await);
    let ask = async |path: &str| {
        let response = http().get(format!("{}{path}", server.operations)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(ask("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(ask("/readyz").await, (200, "ready\n".to_owned()));
    // Decisions are counted once a second.
    let begun = std::time::Instant::now();
    let (status, metrics) = loop {
        let (status, metrics) = ask("/metrics").await;
        if metrics.contains("decisions_total{allowed=\"true\"} 1") || begun.elapsed().as_secs() > 20
        {
            break (status, metrics);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(status, 200);
    for line in [
        "gatewright_tokens_issued_total 1",
        "gatewright_decisions_total{allowed=\"true\"} 1",
        "gatewright_http_requests_total{route=\"/iam/authorization/check\",status=\"200\"} 1",
        "gatewright_http_request_duration_seconds_bucket",
        // The metric's old name, exposed for one version.
        "gatewright_http_request_seconds_bucket",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert_eq!(admin.get("/metrics").await.status, 404);
}

on_both_databases!(a_server_that_is_told_to_stop_ends_well_and_keeps_everything);
async fn a_server_that_is_told_to_stop_ends_well_and_keeps_everything(database: TestDatabase) {
    let mut server = Server::start_with(&database, &HTTPS);
    let admin = server.admin().await;
    let policies = admin.get("/v2/iam/policy").await.expect(200);
    assert!(server.stop().success());
    server.restart();
    assert_eq!(server.bearing(&admin.token).get("/v2/iam/policy").await.expect(200), policies);
}

on_both_databases!(an_account_is_made_once_and_by_the_operator_alone);
async fn an_account_is_made_once_and_by_the_operator_alone(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    let (mut child, url, _) = setup.spawn();
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "all"),
        ("client_id", "x"),
        ("client_secret", "y"),
    ];
    let reply = http().post(format!("{url}/auth/oauth2/token")).form(&form).send().await;
    assert_eq!(reply.unwrap().status(), 400);
    // Works while a server runs on the same database.
    let made = setup.create_account("XX11111-OVH");
    assert_eq!((made["account"].as_str(), made["login"].as_str()), (Some(ACCOUNT), Some(ACCOUNT)));
    let id = made["clientId"].as_str().unwrap();
    let token = http()
        .post(format!("{url}/auth/oauth2/token"))
        .basic_auth(id, made["clientSecret"].as_str())
        .form(&form[..2])
        .send()
        .await;
    assert_eq!(token.unwrap().status(), 200);
    let email = ["--email", "a@b.example"];
    let again = [&["account", "create", "--name", ACCOUNT], &email[..]].concat();
    let (done, said) = setup.run(&again);
    assert!(!done && said.contains("there is an account xx11111-ovh already"), "{said}");
    let wrong = [&["account", "create", "--name", "nobody"], &email[..]].concat();
    let (done, said) = setup.run(&wrong);
    assert!(!done && said.contains("must be two letters and some digits"), "{said}");
    let (done, said) = setup.run(&["journal", "verify"]);
    assert!(done && said.contains("the chain holds"), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
}

on_both_databases!(another_master_key_is_refused);
async fn another_master_key_is_refused(database: TestDatabase) {
    let setup = Setup::new(&database, &[]);
    setup.create_account(ACCOUNT);
    let other = Setup::new(&database, &[]);
    let (done, said) =
        other.run(&["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"]);
    assert!(!done && said.contains("sealed under another master key"), "{said}");
}

#[test]
fn an_error_is_said_in_one_line_and_help_is_none() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert_eq!((help.status.code(), help.stderr.len()), (Some(0), 0));
    let (done, said) = run(&["serve", "--database", "sqlite:x", "--master-key", "/nowhere/key"]);
    assert!(!done && said.contains("/nowhere/key is missing"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("gatewright: ")).count(), 1);
}

#[test]
fn settings_come_from_a_file_the_environment_and_flags_in_rising_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatewright.toml");
    std::fs::write(&file, "database = 'nonsense:1'\nmaster-key = 'key'\n").unwrap();
    let said = |environment: Option<&str>, flag: Option<&str>| {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--config"]).arg(&file);
        command.env("GATEWRIGHT_REGION", environment.unwrap_or("eu"));
        if let Some(flag) = flag {
            command.args(["--region", flag]);
        }
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    assert!(said(None, None).contains("must be sqlite:PATH or postgres://"));
    std::fs::write(&file, "database = 'sqlite:x'\nmaster-key = 'key'\nregion = 'mars'\n").unwrap();
    assert!(said(None, None).contains("key is missing"));
    assert!(said(Some("venus"), None).contains("venus is none of"));
    assert!(said(Some("venus"), Some("pluto")).contains("pluto is none of"));
}

#[test]
fn a_setting_given_by_its_old_name_is_warned_about() {
    let database = TestDatabase::sqlite();
    let setup = Setup::new(&database, &["--plate", "us"]);
    let create = ["account", "create", "--name", ACCOUNT, "--email", "a@b.example"];
    let (done, said) = setup.run(&create);
    assert!(done && said.contains("deprecated: its name is region"), "{said}");
    let both = setup.with(&["--region", "eu"]);
    let (done, said) = both.run(&["journal", "verify"]);
    assert!(!done && said.contains("both are given with different values"), "{said}");
    // The environment variable has an old name as well.
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--database", "sqlite:x", "--master-key", "key"]);
    command.env("GATEWRIGHT_PLATE", "mars");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("mars is none of eu, ca, us"), "{said}");
}

#[tokio::test]
async fn the_trial_server_prints_one_object_and_keeps_everything() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut child = Command::new(PROGRAM)
            .args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (child, serde_json::from_str::<Value>(&line).unwrap())
    };
    let (mut child, first) = start();
    let fields: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["url", "account", "login", "password", "clientId", "clientSecret"]);
    assert_eq!(first["account"], ACCOUNT);
    let text = |name: &str| first[name].as_str().unwrap().to_owned();
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    let token = http()
        .post(format!("{}/auth/oauth2/token", text("url")))
        .basic_auth(text("clientId"), Some(text("clientSecret")))
        .form(&form);
    let token = crate::server::Reply::of(token).await.expect(200);
    let url = format!("{}/v2/iam/resource", text("url"));
    let request = http().get(url).bearer_auth(token["access_token"].as_str().unwrap());
    let resources = crate::server::Reply::of(request).await.expect(200);
    let mut kinds: Vec<&str> =
        resources.as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["account", "publicCloudProject", "vps", "webHosting"].map(|kind| kind));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in ["secrets.json", "master.key"] {
            let mode =
                folder.path().join("data").join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, mut second) = start();
    second["url"] = first["url"].clone();
    assert_eq!(second, first);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(json!(first["password"].as_str().unwrap().len() >= 16), json!(true));
}
