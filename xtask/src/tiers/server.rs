//! A trial server that is requested with curl.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::process::{Failure, command, output};

/// A running server, with a token that allows everything; dropping it stops the server.
pub(super) struct Server {
    running: Running,
    url: String,
    token: String,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may already have stopped, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts a program with the data in a folder, which is created if it is empty.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let mut command = command(program);
        command.args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let printed = child.stdout.take();
        let running = Running(child);
        let mut line = String::new();
        let printed = printed.ok_or("the server prints nothing")?;
        BufReader::new(printed).read_line(&mut line).map_err(|error| error.to_string())?;
        let said = parse(&line)?;
        let url = text(&said, "url")?;
        let credentials = format!("{}:{}", text(&said, "clientId")?, text(&said, "clientSecret")?);
        let mut server = Self { running, url, token: String::new() };
        let form = ["-d", "grant_type=client_credentials", "-d", "scope=all", "-u", &credentials];
        let answer = server.ask("/auth/oauth2/token", &form)?;
        server.token = text(&answer, "access_token")?;
        Ok(server)
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(path, &["-H", &self.authorization()])
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(path, &["-H", &self.authorization(), "-d", &body.to_string()])
    }

    fn authorization(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    fn ask(&self, path: &str, arguments: &[&str]) -> Result<Value, Failure> {
        let mut curl: Command = command("curl");
        curl.args(["--silent", "--show-error", "--fail"]).args(arguments);
        let answer = output(curl.arg(format!("{}{path}", self.url)));
        answer
            .and_then(|answer| parse(&answer))
            .map_err(|failure| format!("process {}: {path}: {failure}", self.running.0.id()))
    }
}

fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

fn text(object: &Value, key: &str) -> Result<String, Failure> {
    let text = object.get(key).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| format!("no {key} in {object}"))
}
