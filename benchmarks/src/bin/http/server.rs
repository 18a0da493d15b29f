//! Gatewright's servers: one with a large database, and the trial server.

use gatewright_policy::AccountName;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use gatewright_benchmarks::dev_server::DevServer;
use gatewright_benchmarks::server::{self, Account, HIGH_RATES, Installation};
use gatewright_benchmarks::{ACCOUNT, TYPES, VERBS, action, policy, rules};
use gatewright_store::{Act, Author, Change, Content, Kind, Store};
use serde_json::{Value, json};

use crate::client::Anyhow;

/// Prints the memory of the trial server after its first response.
pub(crate) fn resident(program: &Path) -> Anyhow<()> {
    println!("trial server: {} kB", DevServer::start(program)?.process.memory()?);
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
    _process: server::Server,
    _installation: Installation,
}

impl Server {
    /// Creates the database and starts the server on it.
    pub(crate) async fn start(program: &Path, count: usize) -> Anyhow<Self> {
        let installation = Installation::create(program)?;
        let products = installation.folder.path().join("products");
        std::fs::create_dir(&products)?;
        std::fs::write(products.join("benchmark.json"), guarded().to_string())?;
        let Account { password, client_id, client_secret, .. } =
            installation.create_account(ACCOUNT)?;
        fill(&installation.database, count).await?;

        let started = Instant::now();
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let grpc = free.local_addr()?;
        drop(free);
        let (products, envoy) = (products.display().to_string(), grpc.to_string());
        let settings = ["--products", &products, "--ext-authz-listen", &envoy];
        let process = installation.start(&[&settings[..], &HIGH_RATES].concat())?;
        Ok(Self {
            address: process.address.parse()?,
            grpc,
            ready: started.elapsed(),
            started,
            password,
            credentials: (client_id, client_secret),
            _process: process,
            _installation: installation,
        })
    }
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
