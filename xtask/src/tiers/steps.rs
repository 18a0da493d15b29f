//! The list of steps. A new step is a line here, and a function in a module of this folder.

use super::figures::Figures;
use super::step::Step;
use super::step::Tier::{Long, Quick, Whole};
use super::{fuzz, measured, old_data, random, reproducible};
use crate::needs::{self, Need};
use crate::process::{Failure, cargo, command, root, run, tools};
use crate::program::{build_tested, required_assets, whole_cargo};
use crate::{house, postgres};

pub(super) const STEPS: &[Step] = &[
    Step::new("format", &[Quick, Whole], Need::OF_EVERY_BUILD, format),
    Step::new("house", &[Quick, Whole], &[], |_| house::check(&root())),
    Step::new("licences", &[Whole], &[Need::CARGO_DENY], licences),
    Step::new("offline lints", &[Quick], Need::OF_EVERY_BUILD, offline_lints),
    Step::new("lints", &[Whole], &[Need::NPM], lints),
    Step::new("lints beside", &[Whole], &[Need::CPP], lints_beside),
    Step::new("go vet", &[Whole], &[Need::GO], go_vet),
    Step::new("in process", &[Quick], Need::OF_EVERY_BUILD, in_process),
    Step::new("build of tests", &[Whole], &[Need::NPM], build_tests),
    Step::new("tests", &[Whole], Need::OF_THE_TESTS, all_tests),
    Step::new("short attacks", &[Whole], &[Need::NPM], measured::short_attacks),
    Step::new("fuzz", &[Whole], Need::OF_FUZZING, fuzz::short),
    Step::new("old data", &[Long], Need::OF_A_BUILD_FOR_USE, old_data::upgrade),
    Step::new("attacks", &[Long], Need::OF_A_BUILD_FOR_USE, measured::attacks),
    Step::new("soak", &[Long], Need::OF_A_BUILD_FOR_USE, measured::soak),
    Step::new("freshness", &[Long], Need::OF_NODES, measured::freshness),
    Step::new("properties", &[Long], Need::OF_EVERY_BUILD, random::properties),
    Step::new("random decisions", &[Long], Need::OF_EVERY_BUILD, random::decisions),
    Step::new("long fuzz", &[Long], Need::OF_FUZZING, fuzz::long),
    Step::new("reproducible", &[Long], Need::OF_A_BUILD_FOR_USE, reproducible::builds),
];

/// The workspaces beside the main one, which nothing else compiles.
const OTHER_WORKSPACES: &[&str] = &["benchmarks/Cargo.toml", "fuzz/Cargo.toml"];
const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--locked"];
const DENY: &[&str] = &["--", "-D", "warnings"];

fn format(_: &mut Figures) -> Result<(), Failure> {
    cargo(&["fmt", "--all", "--check"])?;
    for manifest in OTHER_WORKSPACES {
        cargo(&["fmt", "--manifest-path", manifest, "--check"])?;
    }
    Ok(())
}

/// Checks the licences, duplicates and origins of all dependencies.
fn licences(_: &mut Figures) -> Result<(), Failure> {
    run(command(tools().join("bin/cargo-deny")).args(["check", "licenses", "bans", "sources"]))
}

/// Runs cargo without npm's registry: the panel is then built without style and script.
fn offline_cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(command(env!("CARGO")).args(arguments).env("npm_config_offline", "true"))
}

fn offline_lints(_: &mut Figures) -> Result<(), Failure> {
    offline_cargo(&[CLIPPY, DENY].concat())
}

fn lints(_: &mut Figures) -> Result<(), Failure> {
    whole_cargo(&[CLIPPY, DENY].concat())
}

/// Compiles and lints the workspaces beside the main one; dependencies that they share with it are
/// built once.
fn lints_beside(_: &mut Figures) -> Result<(), Failure> {
    for manifest in OTHER_WORKSPACES {
        let place = ["--manifest-path", manifest, "--target-dir", "target"];
        cargo(&[CLIPPY, &place[..], DENY].concat())?;
    }
    Ok(())
}

/// Runs the tests that start no other program: all except those of the binary in `tests/`.
fn in_process(_: &mut Figures) -> Result<(), Failure> {
    offline_cargo(&["test", "--workspace", "--exclude", "gatewright", "--locked"])?;
    offline_cargo(&["test", "--package", "gatewright", "--bins", "--locked"])
}

fn go_vet(_: &mut Figures) -> Result<(), Failure> {
    for folder in ["clients/go", "examples/go"] {
        run(command("go").args(["vet", "-C", folder, "./..."]))?;
    }
    Ok(())
}

/// Compiles the tests, and first the programs that they start.
fn build_tests(_: &mut Figures) -> Result<(), Failure> {
    build_tested()?;
    whole_cargo(&["test", "--workspace", "--locked", "--no-run"])
}

fn all_tests(figures: &mut Figures) -> Result<(), Failure> {
    build_tests(figures)?;
    let postgres = postgres::Server::start()?;
    run(required_assets(&mut command(env!("CARGO")))
        .args(["test", "--workspace", "--locked"])
        .env("GATEWRIGHT_TEST_POSTGRES", postgres.url())
        .env("GATEWRIGHT_TEST_PYTHON", needs::python_interpreter())
        .env("GATEWRIGHT_TEST_AXE", needs::axe_script()))
}
