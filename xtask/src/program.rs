//! Builds the program: for use, for a trial, and to be measured.

use std::ffi::OsString;

use crate::needs::{self, Need};
use crate::process::{Failure, cargo, command, root, run};

/// Makes `target/release/gatewright`.
pub(crate) fn build() -> Result<(), Failure> {
    cargo(&["build", "--release", "--package", "gatewright", "--locked"])
}

/// Builds a server to try things on, which must not take long to build, and starts it.
pub(crate) fn dev(arguments: &[OsString]) -> Result<(), Failure> {
    cargo(&["build", "--profile", "trial", "--package", "gatewright", "--locked"])?;
    run(command(root().join("target/trial/gatewright")).arg("dev").args(arguments))
}

/// Measures what docs/benchmarks.md shows.
pub(crate) fn bench() -> Result<(), Failure> {
    needs::provide(&[Need::NGINX, Need::CADDY])?;
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
