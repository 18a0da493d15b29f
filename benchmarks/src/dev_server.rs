//! A trial server, started for one measurement.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::Anyhow;
use crate::server::Running;

/// A trial server with an empty database.
pub struct DevServer {
    pub process: Running,
    _folder: tempfile::TempDir,
}

impl DevServer {
    /// Starts a server on a free port, and waits until it is ready.
    pub fn start(program: &Path) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(program)
            .args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let process = Running(child);
        if BufReader::new(output).read_line(&mut String::new())? == 0 {
            return Err("the server did not start".into());
        }
        Ok(Self { process, _folder: folder })
    }
}
