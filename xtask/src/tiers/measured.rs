//! Runs the programs of `benchmarks/` that load and attack a server, and collects their
//! measurements.

use serde_json::{Map, Value};

use super::figures::Figures;
use crate::process::{Failure, command, output, root};
use crate::{postgres, program};

/// The duration of the load, in seconds.
const SOAK_SECONDS: &str = "1800";

/// The duration of each attack, in seconds.
const ATTACK_SECONDS: &str = "600";

pub(super) fn soak(figures: &mut Figures) -> Result<(), Failure> {
    measure("soak", &[SOAK_SECONDS], None, figures)
}

pub(super) fn attacks(figures: &mut Figures) -> Result<(), Failure> {
    measure("attacks", &[ATTACK_SECONDS], None, figures)
}

/// Measures how old the answers of a node are that is far from its PostgreSQL.
pub(super) fn freshness(figures: &mut Figures) -> Result<(), Failure> {
    let postgres = postgres::Server::start()?;
    measure("freshness", &[], Some(&postgres), figures)
}

/// Runs a program that prints its measurements as one JSON object.
fn measure(
    name: &str,
    arguments: &[&str],
    postgres: Option<&postgres::Server>,
    figures: &mut Figures,
) -> Result<(), Failure> {
    program::build()?;
    eprintln!("running {name}");
    let mut run = command(env!("CARGO"));
    run.args(["run", "--release", "--quiet", "--locked"])
        .args(["--manifest-path", "benchmarks/Cargo.toml", "--target-dir", "target/benchmarks"])
        .args(["--bin", name, "--"])
        .arg(root().join("target/release/gatewright"))
        .args(arguments);
    if let Some(postgres) = postgres {
        run.env("GATEWRIGHT_TEST_POSTGRES", postgres.url());
    }
    let printed = output(&mut run)?;
    let all: Map<String, Value> =
        serde_json::from_str(&printed).map_err(|error| format!("{name}: {error}: {printed}"))?;
    for (what, figure) in all {
        match figure {
            Value::String(figure) => figures.add(what, figure),
            other => figures.add(what, other),
        }
    }
    Ok(())
}
