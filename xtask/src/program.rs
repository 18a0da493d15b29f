//! Builds the program: for use, for a trial, and for measurements.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::needs::{self, Need};
use crate::process::{Failure, cargo, command, root, run};

/// The arguments of cargo that build the release.
pub(crate) const RELEASE: &[&str] =
    &["build", "--release", "--package", "gatewright", "--features", "jemalloc", "--locked"];

/// Builds `target/release/gatewright`.
pub(crate) fn build() -> Result<(), Failure> {
    needs::require(&[Need::MAKE])?;
    cargo(RELEASE)
}

/// Builds the program with the profile that is quick to build, and returns its path.
pub(crate) fn build_trial() -> Result<PathBuf, Failure> {
    cargo(&["build", "--profile", "trial", "--package", "gatewright", "--locked"])?;
    Ok(root().join("target/trial/gatewright"))
}

/// Builds the workspace as the tests do, and returns the path of the program that they start.
pub(crate) fn build_tested() -> Result<PathBuf, Failure> {
    whole_cargo(&["build", "--workspace", "--locked"])?;
    Ok(root().join("target/debug/gatewright"))
}

/// Runs cargo. A build without style and script fails, because a browser must test the real pages.
pub(crate) fn whole_cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(required_assets(&mut command(env!("CARGO"))).args(arguments))
}

/// Makes a build without style and script fail.
pub(crate) fn required_assets(cargo: &mut Command) -> &mut Command {
    cargo.env("GATEWRIGHT_PANEL_ASSETS", "required")
}

/// Builds a trial server and starts it.
pub(crate) fn dev(arguments: &[OsString]) -> Result<(), Failure> {
    run(command(build_trial()?).arg("dev").args(arguments))
}

/// Runs the benchmarks of docs/benchmarks.md.
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
