//! Servers as operators start them, each with a database of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::client::{Anyhow, body, exchange, token_request};

/// Settings of rates that no load reaches: the limits are still counted, as they are in production.
pub const HIGH_RATES: [&str; 14] = [
    "--rate-tokens",
    "10000000",
    "--rate-decisions",
    "10000000",
    "--rate-reads",
    "10000000",
    "--rate-writes",
    "10000000",
    "--rate-anonymous",
    "10000000",
    "--rate-failures",
    "10000000",
    "--rate-journal",
    "4000000",
];

/// A child process that ends with its owner.
pub struct Running(pub Child);

impl Running {
    /// Returns the memory of the process, in kilobytes.
    pub fn memory(&self) -> Anyhow<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no memory is told")?.parse()?)
    }

    /// Returns the number of files and connections that the process has open.
    pub fn open_files(&self) -> Anyhow<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.0.id()))?.count())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An account, with its owner's password and a service account that may do everything.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    pub password: String,
    pub client_id: String,
    pub client_secret: String,
}

impl Account {
    /// Returns the credentials of the service account for basic authentication.
    pub fn basic(&self) -> String {
        basic(&self.client_id, &self.client_secret)
    }
}

/// Encodes the credentials of a service account for basic authentication.
pub fn basic(id: &str, secret: &str) -> String {
    BASE64_STANDARD.encode(format!("{id}:{secret}"))
}

/// A database and its master key.
pub struct Installation {
    program: PathBuf,
    pub database: String,
    key: String,
    pub folder: tempfile::TempDir,
}

impl Installation {
    /// Creates an installation on SQLite.
    pub fn create(program: &Path) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("db").display());
        Self::within(folder, program, database)
    }

    /// Creates an installation on the database at this URL.
    pub fn on(program: &Path, database: &str) -> Anyhow<Self> {
        Self::within(tempfile::tempdir()?, program, database.to_owned())
    }

    fn within(folder: tempfile::TempDir, program: &Path, database: String) -> Anyhow<Self> {
        let key = folder.path().join("key").display().to_string();
        run(program, &["key", "create", "--file", &key])?;
        Ok(Self { program: program.to_owned(), database, key, folder })
    }

    /// Creates an account, also beside a running server.
    pub fn create_account(&self, name: &str) -> Anyhow<Account> {
        let new = ["account", "create", "--json", "--service-account", "--name", name];
        let settings = ["--database", &self.database, "--master-key", &self.key];
        let all = [&new[..], &["--email", "a@b.example"], &settings].concat();
        let made: Value = serde_json::from_slice(&run(&self.program, &all)?)?;
        let text = |key: &str| made[key].as_str().map(str::to_owned).ok_or("not made");
        Ok(Account {
            name: text("account")?,
            password: text("password")?,
            client_id: text("clientId")?,
            client_secret: text("clientSecret")?,
        })
    }

    /// Starts a server with further settings, on a free port.
    pub fn start(&self, settings: &[&str]) -> Anyhow<Server> {
        self.start_at(&self.database, settings)
    }

    /// Starts a server that reaches the database at another URL.
    pub fn start_at(&self, database: &str, settings: &[&str]) -> Anyhow<Server> {
        let mut child = Command::new(&self.program)
            .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"])
            .args(["--database", database, "--master-key", &self.key])
            .args(settings)
            .stderr(Stdio::piped())
            .spawn()?;
        let log = BufReader::new(child.stderr.take().ok_or("no log")?);
        let process = Running(child);
        let mut log = log.lines();
        let address = loop {
            let line = log.next().ok_or("the server did not start")??;
            let line: Value = serde_json::from_str(&line).map_err(|_| line)?;
            if let Some(address) = line["address"].as_str() {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || for _ in log.by_ref() {});
        Ok(Server { address, process })
    }

    /// Returns the bytes of all files of the installation, the database among them.
    pub fn disk(&self) -> Anyhow<u64> {
        let mut sum = 0;
        for file in std::fs::read_dir(self.folder.path())? {
            let size = file?.metadata();
            // The database removes files of its own meanwhile.
            sum += size.map_or(0, |size| if size.is_file() { size.len() } else { 0 });
        }
        Ok(sum)
    }
}

/// A running server.
pub struct Server {
    pub address: String,
    pub process: Running,
}

impl Server {
    /// Connects, for requests one after the other.
    pub async fn connect(&self) -> Anyhow<TcpStream> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Returns the header with a token for these credentials.
    pub async fn bearer(&self, basic: &str) -> Anyhow<String> {
        let mut stream = self.connect().await?;
        let said = exchange(&mut stream, &token_request(basic)).await?;
        let token = body(&said)?["access_token"].as_str().ok_or("no token")?.to_owned();
        Ok(format!("Authorization: Bearer {token}"))
    }
}

/// Runs a command of the program to its end, and returns its output.
fn run(program: &Path, arguments: &[&str]) -> Anyhow<Vec<u8>> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err("failed".into()) }
}
