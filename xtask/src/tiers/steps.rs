//! The list of steps. A new step is a line here, and a function in a module of this folder.

use std::process::Command;

use super::figures::Figures;
use super::fuzz;
use super::step::Step;
use super::step::Tier::{Long, Quick, Whole};
use crate::needs::{self, Need};
use crate::process::{Failure, cargo, command, root, run, tools};
use crate::{house, postgres};

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", tiers: &[Quick, Whole], needs: Need::OF_EVERY_BUILD, run: format },
    Step { name: "house", tiers: &[Quick, Whole], needs: &[], run: |_| house::check(&root()) },
    Step { name: "licences", tiers: &[Whole], needs: &[Need::CARGO_DENY], run: licences },
    Step { name: "lints", tiers: &[Quick], needs: Need::OF_EVERY_BUILD, run: offline_lints },
    Step { name: "lints of all", tiers: &[Whole], needs: &[Need::NPM], run: lints },
    Step { name: "in process", tiers: &[Quick], needs: Need::OF_EVERY_BUILD, run: in_process },
    Step { name: "lints beside", tiers: &[Whole], needs: &[Need::CPP], run: lints_beside },
    Step { name: "go", tiers: &[Whole], needs: &[Need::GO], run: go },
    Step { name: "tests", tiers: &[Whole], needs: Need::OF_THE_TESTS, run: all_tests },
    Step { name: "fuzz", tiers: &[Whole], needs: &[Need::CPP, Need::CARGO_FUZZ], run: fuzz::short },
    Step {
        name: "long fuzz",
        tiers: &[Long],
        needs: &[Need::CPP, Need::CARGO_FUZZ],
        run: fuzz::long,
    },
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

/// Checks licences, duplicates and origins of everything that is linked in.
fn licences(_: &mut Figures) -> Result<(), Failure> {
    run(command(tools().join("bin/cargo-deny")).args(["check", "licenses", "bans", "sources"]))
}

/// Runs cargo without asking npm's registry: the panel is then built without style and script.
fn offline_cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(command(env!("CARGO")).args(arguments).env("npm_config_offline", "true"))
}

fn offline_lints(_: &mut Figures) -> Result<(), Failure> {
    offline_cargo(&[CLIPPY, DENY].concat())
}

fn lints(_: &mut Figures) -> Result<(), Failure> {
    whole_cargo(&[CLIPPY, DENY].concat())
}

/// Compiles and lints the workspaces beside the main one; what they share with it is built once.
fn lints_beside(_: &mut Figures) -> Result<(), Failure> {
    for manifest in OTHER_WORKSPACES {
        let place = ["--manifest-path", manifest, "--target-dir", "target"];
        cargo(&[CLIPPY, &place[..], DENY].concat())?;
    }
    Ok(())
}

/// Runs the tests that start no other program: all but those of the binary in `tests/`.
fn in_process(_: &mut Figures) -> Result<(), Failure> {
    offline_cargo(&["test", "--workspace", "--exclude", "gatewright", "--locked"])?;
    offline_cargo(&["test", "--package", "gatewright", "--bins", "--locked"])
}

fn go(_: &mut Figures) -> Result<(), Failure> {
    for folder in ["clients/go", "examples/go"] {
        run(command("go").args(["vet", "-C", folder, "./..."]))?;
    }
    Ok(())
}

fn all_tests(_: &mut Figures) -> Result<(), Failure> {
    let postgres = postgres::Server::start()?;
    // Programs that tests start must be there before the tests.
    whole_cargo(&["build", "--workspace", "--locked"])?;
    run(required_assets(&mut command(env!("CARGO")))
        .args(["test", "--workspace", "--locked"])
        .env("GATEWRIGHT_TEST_POSTGRES", postgres.url())
        .env("GATEWRIGHT_TEST_PYTHON", needs::python_interpreter())
        .env("GATEWRIGHT_TEST_AXE", needs::axe_script()))
}

fn whole_cargo(arguments: &[&str]) -> Result<(), Failure> {
    run(required_assets(&mut command(env!("CARGO"))).args(arguments))
}

/// Makes a build without style and script fail: a browser is to see the real pages.
fn required_assets(cargo: &mut Command) -> &mut Command {
    cargo.env("GATEWRIGHT_PANEL_ASSETS", "required")
}
