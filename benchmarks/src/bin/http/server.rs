//! Gatewright's servers: one with a large database, and the trial server.

use gatewright_policy::AccountName;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use gatewright_benchmarks::dev_server::{DevServer, Running};
use gatewright_benchmarks::{ACCOUNT, TYPES, VERBS, action, policy, rules};
use gatewright_store::{Act, Author, Change, Content, Kind, Store};
use serde_json::{Value, json};

use crate::client::Anyhow;

/// Prints the memory of the trial server after its first response.
pub(crate) fn resident(program: &Path) -> Anyhow<()> {
    println!("trial server: {} kB", DevServer::start(program)?.memory()?);
    Ok(())
}

/// Returns the secret of a service account.
pub(crate) fn secret(number: usize) -> String {
    format!("gws_secret-{number}")
}

/// Returns the client id of a service account.
pub(crate) fn client_id(number: usize) -> String {
    format!("EU.{number:016x}")
}

/// Fills a database with service accounts and policies.
async fn fill(database: &str, count: usize) -> Anyhow<()> {
    let store = Store::open(&database.parse()?).await?;
    let author = Author {
        actor: "benchmark".into(),
        ip: None,
        query_id: "0".into(),
        at: gatewright_policy::Instant::from_seconds(1_700_000_000),
    };
    let clients = (0..count).map(|number| {
        let document = json!({
            "name": "benchmark", "description": "benchmark", "flow": "CLIENT_CREDENTIALS",
            "callbackUrls": [], "createdAt": author.at,
        });
        let hash = digest(&SHA256, secret(number).as_bytes()).as_ref().to_vec();
        let content = Content { document: document.to_string(), ..Content::default() };
        let act = Act::Create { content, secret: Some(hash) };
        Change { kind: Kind::Client, id: client_id(number), act }
    });
    let policies = rules(count).into_iter().map(|rule| {
        let name = format!("p-{}", rule.id);
        let document = json!({
            "name": name, "description": null, "readOnly": false, "expiredAt": null,
            "createdAt": author.at, "updatedAt": null, "rule": policy(&rule),
        });
        let content =
            Content { name: Some(name), document: document.to_string(), mentions: Vec::new() };
        let act = Act::Create { content, secret: None };
        Change { kind: Kind::Policy, id: rule.id.to_string(), act }
    });
    let changes: Vec<Change> = clients.chain(policies).collect();
    for chunk in changes.chunks(5_000) {
        store.write(&AccountName::new(ACCOUNT), &author, chunk).await?;
    }
    store.close().await;
    Ok(())
}

/// A server whose account has many service accounts and policies.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The address for Envoy.
    pub(crate) grpc: SocketAddr,
    /// The time from start to the first response.
    pub(crate) ready: Duration,
    pub(crate) started: Instant,
    /// The owner's password.
    pub(crate) password: String,
    pub(crate) credentials: (String, String),
    _process: Running,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Creates the database and starts the server on it.
    pub(crate) async fn start(program: &Path, count: usize) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("db").display());
        let key = folder.path().join("key").display().to_string();
        run(program, &["key", "create", "--file", &key])?;
        let products = folder.path().join("products");
        std::fs::create_dir(&products)?;
        std::fs::write(products.join("benchmark.json"), guarded().to_string())?;
        let products = products.display().to_string();
        let settings = ["--database", &database, "--master-key", &key, "--products", &products];
        let new = ["account", "create", "--json", "--service-account", "--name", ACCOUNT];
        let new = [&new[..], &["--email", "a@b.example"], &settings].concat();
        let made: Value = serde_json::from_slice(&run(program, &new)?)?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).ok_or("not made");
        let password = text("password")?;
        let credentials = (text("clientId")?, text("clientSecret")?);
        fill(&database, count).await?;

        let started = Instant::now();
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let grpc = free.local_addr()?;
        drop(free);
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"])
            .args(["--ext-authz-listen", &grpc.to_string()])
            .args(settings)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(child.stderr.take().ok_or("no log")?).lines();
        let process = Running(child);
        let line: Value = serde_json::from_str(&log.next().ok_or("no line")??)?;
        let address = line["address"].as_str().ok_or("no address")?.parse()?;
        let ready = started.elapsed();
        std::thread::spawn(move || for _ in log.by_ref() {});
        let (_process, _folder) = (process, folder);
        Ok(Self { address, grpc, ready, started, password, credentials, _process, _folder })
    }
}

/// Runs a command of the program to its end, and returns its output.
fn run(program: &Path, arguments: &[&str]) -> Anyhow<Vec<u8>> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err("failed".into()) }
}

/// Returns the declaration of an API whose operations require the actions of the policies, one
/// each.
fn guarded() -> Value {
    let mut paths = serde_json::Map::new();
    for kind in TYPES {
        for verb in VERBS {
            let operation = json!({
                "x-iam-resource": {"type": kind, "in": "path", "name": "id"},
                "x-iam-actions": [{"name": action(kind, verb)}],
            });
            paths.insert(format!("/{kind}/{verb}/{{id}}"), json!({ "get": operation }));
        }
    }
    json!({"openapi": "3.0.3", "x-iam-account": ACCOUNT, "paths": paths})
}
