//! A PostgreSQL server that runs while the tests do.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, command, run};

/// A running server; dropping it stops it and deletes its data.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    pub(crate) fn start() -> Result<Self, Failure> {
        let programs = programs().ok_or("PostgreSQL's initdb is not to be found")?;
        let folder =
            std::env::temp_dir().join(format!("gatewright-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        if is_root() {
            run(command("chown").arg("postgres").arg(&folder))?;
        }
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let server = Self { programs, folder, port };
        let data = server.folder.join("data");
        run(server
            .command("initdb")
            .args(["--auth=trust", "--username=gatewright", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(&data))?;
        // The data of tests need not survive a power failure.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
             -c max_connections=500"
        );
        let log = server.folder.join("log");
        run(server
            .command("pg_ctl")
            .args(["start", "--wait", "--silent", "-o", &options])
            .args([Path::new("-D"), &data, Path::new("-l"), &log]))?;
        Ok(server)
    }

    /// Returns the URL to connect to, for a user who may create databases.
    pub(crate) fn url(&self) -> String {
        format!("postgres://gatewright@127.0.0.1:{}/postgres", self.port)
    }

    /// Returns the command of one of PostgreSQL's programs. They refuse to run as root, so root
    /// runs them as another user.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !is_root() {
            return command(program);
        }
        let mut command = command("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let stop = self
            .command("pg_ctl")
            .args(["stop", "--mode=immediate", "--silent", "-D"])
            .arg(data)
            .status();
        if stop.is_err() {
            eprintln!("xtask: PostgreSQL may still be running on port {}", self.port);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns the folder of the newest version, which Debian keeps off the search path.
pub(crate) fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    versions.into_iter().rev().chain(on_path).find(|folder| folder.join("initdb").is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
