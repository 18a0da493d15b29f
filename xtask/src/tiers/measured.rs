//! Runs the programs of `benchmarks/` that load and attack a server, and collects their
//! measurements.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::figures::Figures;
use crate::process::{Failure, command, output, root};
use crate::{postgres, program};

/// The duration of the load, in seconds.
const SOAK_SECONDS: &str = "1800";

/// The duration of each attack, in seconds.
const ATTACK_SECONDS: &str = "600";

/// The duration of each attack in the whole run, in seconds.
const SHORT_ATTACK_SECONDS: &str = "2";

/// The builds of a server and of the program that measures it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Build {
    /// Both optimised.
    Release,
    /// Those of the tests, which are there: what they share is compiled once.
    Tests,
}

pub(super) fn soak(figures: &mut Figures) -> Result<(), Failure> {
    measure("soak", &[SOAK_SECONDS], None, Build::Release, figures)
}

pub(super) fn attacks(figures: &mut Figures) -> Result<(), Failure> {
    measure("attacks", &[ATTACK_SECONDS], None, Build::Release, figures)
}

/// Makes each attack for a moment: it finds a caller who is not served, and memory without bound.
pub(super) fn short_attacks(figures: &mut Figures) -> Result<(), Failure> {
    measure("attacks", &[SHORT_ATTACK_SECONDS], None, Build::Tests, figures)
}

/// Measures how old the answers of a node are that is far from its PostgreSQL.
pub(super) fn freshness(figures: &mut Figures) -> Result<(), Failure> {
    let postgres = postgres::Server::start()?;
    measure("freshness", &[], Some(&postgres), Build::Release, figures)
}

impl Build {
    /// Builds the server, and returns its path.
    fn server(self) -> Result<PathBuf, Failure> {
        match self {
            Self::Release => {
                program::build()?;
                Ok(root().join("target/release/gatewright"))
            }
            Self::Tests => program::build_tested(),
        }
    }

    /// Returns the arguments of cargo for the program that measures.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release", "--target-dir", "target/benchmarks"],
            Self::Tests => &["--target-dir", "target"],
        }
    }
}

/// Runs a program that prints its measurements as one JSON object.
fn measure(
    name: &str,
    arguments: &[&str],
    postgres: Option<&postgres::Server>,
    build: Build,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let server = build.server()?;
    eprintln!("running {name}");
    let mut run = command(env!("CARGO"));
    run.args(["run", "--quiet", "--locked", "--manifest-path", "benchmarks/Cargo.toml"])
        .args(build.arguments())
        .args(["--bin", name, "--"])
        .arg(server)
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
