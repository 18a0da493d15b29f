//! The nodes of one installation on PostgreSQL.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatewright_benchmarks::ACCOUNT;
use gatewright_benchmarks::client::{Anyhow, body, exchange, token_request};
use gatewright_benchmarks::dev_server::Running;
use serde_json::Value;
use tokio::net::TcpStream;

/// An installation with one account.
pub(crate) struct Installation {
    program: PathBuf,
    key: String,
    credentials: String,
    _folder: tempfile::TempDir,
}

/// A running server.
pub(crate) struct Node {
    address: String,
    _process: Running,
}

impl Installation {
    pub(crate) fn create(program: &Path, database: &str) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("key").display().to_string();
        run(program, &["key", "create", "--file", &key])?;
        let new = ["account", "create", "--json", "--service-account", "--name", ACCOUNT];
        let settings = ["--email", "a@b.example", "--database", database, "--master-key", &key];
        let made: Value = serde_json::from_slice(&run(program, &[&new[..], &settings].concat())?)?;
        let text = |name: &str| made[name].as_str().ok_or("not made");
        let credentials = basic(text("clientId")?, text("clientSecret")?);
        Ok(Self { program: program.to_owned(), key, credentials, _folder: folder })
    }

    /// Starts a node that reaches the database at this URL.
    pub(crate) fn start(&self, database: &str) -> Anyhow<Node> {
        let mut child = Command::new(&self.program)
            .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"])
            .args(["--public-url", "http://localhost", "--database", database])
            .args(["--accounts-in-memory", "1000", "--master-key", &self.key])
            .stderr(Stdio::piped())
            .spawn()?;
        let log = BufReader::new(child.stderr.take().ok_or("no log")?);
        let process = Running(child);
        let mut log = log.lines();
        let address = loop {
            let line: Value = serde_json::from_str(&log.next().ok_or("no address")??)?;
            if let Some(address) = line["address"].as_str() {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || for _ in log.by_ref() {});
        Ok(Node { address, _process: process })
    }

    /// Returns the credentials of the account's service account, which may do everything.
    pub(crate) fn credentials(&self) -> &str {
        &self.credentials
    }
}

impl Node {
    pub(crate) async fn connect(&self) -> Anyhow<TcpStream> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Returns the header with a token for these credentials.
    pub(crate) async fn bearer(&self, credentials: &str) -> Anyhow<String> {
        let mut stream = self.connect().await?;
        let said = exchange(&mut stream, &token_request(credentials)).await?;
        let token = body(&said)?["access_token"].as_str().ok_or("no token")?.to_owned();
        Ok(format!("Authorization: Bearer {token}"))
    }
}

/// Encodes the credentials of a service account for basic authentication.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    BASE64_STANDARD.encode(format!("{id}:{secret}"))
}

/// Runs a command of the program to its end, and returns its output.
fn run(program: &Path, arguments: &[&str]) -> Anyhow<Vec<u8>> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err("failed".into()) }
}
