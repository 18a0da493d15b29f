//! A trial server, started for one measurement.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::client::{Anyhow, body, exchange, token_request};

/// A child process that ends with its owner.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A trial server, with credentials for full access.
pub struct DevServer {
    pub address: String,
    /// The account; its resource URN ends with it.
    pub account: String,
    pub folder: tempfile::TempDir,
    basic: String,
    running: Running,
}

impl DevServer {
    /// Starts a server on a free port with an empty database.
    pub fn start(program: &Path) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(program)
            .args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let running = Running(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        let text = |key: &str| said[key].as_str().map(str::to_owned).ok_or("nothing is said");
        let url = text("url")?;
        let address = url.strip_prefix("http://").ok_or("no HTTP")?.to_owned();
        let credentials = format!("{}:{}", text("clientId")?, text("clientSecret")?);
        let basic = BASE64_STANDARD.encode(credentials);
        Ok(Self { address, account: text("account")?, folder, basic, running })
    }

    /// Returns the request for a token.
    pub fn token_request(&self) -> String {
        token_request(&self.basic)
    }

    /// Returns a token.
    pub async fn token(&self) -> Anyhow<String> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let said = exchange(&mut stream, &self.token_request()).await?;
        Ok(body(&said)?["access_token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Returns the memory of the server, in kilobytes.
    pub fn memory(&self) -> Anyhow<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no memory is told")?.parse()?)
    }

    /// Returns the number of files and connections that the server has open.
    pub fn open_files(&self) -> Anyhow<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.running.0.id()))?.count())
    }
}
