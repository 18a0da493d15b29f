//! The project's own commands: `cargo xtask build`, `cargo xtask dev`, `test`, `bench`.

mod house;
mod postgres;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Why a task stopped, in words for the person who started it.
type Failure = String;

const USAGE: &str = "usage: cargo xtask <task>

  build   make the release binary, target/release/gatewright
  dev     build it and start a complete server to try things on; what follows is passed on
  test    pass every test: format, lints, licences, the house, unit and integration tests
  house   show what is against the rules of the house; --write renews what documents list
  bench   measure what docs/benchmarks.md shows";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "build" => build(),
        "dev" => dev(),
        "test" => test(),
        "bench" => bench(),
        "house" => house::run(&root(), &std::env::args().skip(2).collect::<Vec<_>>()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Failure> {
    cargo(&["build", "--release", "--package", "gatewright", "--locked"])
}

fn dev() -> Result<(), Failure> {
    build()?;
    run(Command::new(root().join("target/release/gatewright"))
        .arg("dev")
        .args(std::env::args().skip(2)))
}

fn bench() -> Result<(), Failure> {
    tools::proxies()?;
    build()?;
    let folder = root().join("benchmarks");
    let manifest = folder.join("Cargo.toml").display().to_string();
    let target = root().join("target/benchmarks").display().to_string();
    let common = ["--manifest-path", &manifest, "--target-dir", &target];
    let quick = ["--", "--warm-up-time", "1", "--measurement-time", "3", "--noplot"];
    cargo(&[&["bench", "--bench", "decisions"], &common[..], &quick[..]].concat())?;
    let program = root().join("target/release/gatewright").display().to_string();
    cargo(&[&["run", "--release", "--bin", "engine"], &common[..]].concat())?;
    cargo(&[&["run", "--release", "--bin", "http"], &common[..], &["--", &program]].concat())
}

fn test() -> Result<(), Failure> {
    cargo(&["fmt", "--all", "--check"])?;
    house::check(&root())?;
    tools::deny()?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    // A workspace of its own, which nothing else compiles.
    tools::cpp()?;
    let fuzz = ["--manifest-path", "fuzz/Cargo.toml", "--target-dir", "target/fuzz"];
    cargo(&[&["check", "--locked"], &fuzz[..]].concat())?;
    let python = tools::python()?;
    tools::curl()?;
    tools::go()?;
    tools::browser()?;
    tools::proxies()?;
    tools::keystone()?;
    let axe = tools::axe()?;
    let postgres = postgres::Server::start()?;
    // Programs that tests start must be there before the tests.
    cargo(&["build", "--workspace", "--locked"])?;
    run(Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--locked"])
        .env("GATEWRIGHT_TEST_POSTGRES", postgres.url())
        .env("GATEWRIGHT_TEST_PYTHON", python)
        .env("GATEWRIGHT_TEST_AXE", axe))
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(Command::new(env!("CARGO")).args(arguments))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = format!("{command:?}").replace('"', "");
    eprintln!("$ {shown}");
    let status = command.current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}
