//! Runs other programs from the folder of the workspace.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The reason why a task failed, as a message to the person who started it.
pub(crate) type Failure = String;

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Returns the folder of the tools that the tests install for themselves.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// Returns a command that runs in the folder of the workspace and finds the installed tools.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("PATH", path());
    command
}

/// Returns the machine's search path, with the project's own tools after everything else.
fn path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = [tools().join("python/bin"), PathBuf::from("/usr/sbin")];
    // A folder with a separator in its name cannot be in a search path at all.
    env::join_paths(env::split_paths(&path).chain(more)).unwrap_or(path)
}

/// Checks whether the machine, or the project's own tools, have a program of this name.
pub(crate) fn is_on_path(program: &str) -> bool {
    env::split_paths(&path()).any(|folder| folder.join(program).is_file())
}

/// Runs cargo with the toolchain of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(command(env!("CARGO")).args(arguments))
}

/// Shows a command and runs it to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = show(command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// Runs a command without showing anything, and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", show(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}: {}", show(command), output.status, said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Checks whether a command runs and succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok()
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
