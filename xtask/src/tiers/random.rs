//! Runs the randomized tests for much longer than the other tiers do.

use super::figures::Figures;
use crate::process::{Failure, command, run};

/// The number of cases of each property; the other tiers run 256.
const CASES: &str = "20000";
/// The number of comparisons of a million random decisions, each from another seed.
const ROUNDS: usize = 20;

pub(super) fn properties(figures: &mut Figures) -> Result<(), Failure> {
    let crates = ["gatewright-policy", "gatewright-iam", "gatewright-api"];
    let packages = crates.iter().flat_map(|name| ["--package", name]);
    run(command(env!("CARGO"))
        .args(["test", "--profile", "trial", "--locked"])
        .args(packages)
        .env("PROPTEST_CASES", CASES))?;
    figures.add("cases of each property", CASES);
    Ok(())
}

pub(super) fn decisions(figures: &mut Figures) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        run(command(env!("CARGO"))
            .args(["test", "--profile", "trial", "--locked", "--package", "gatewright-policy"])
            .args(["--test", "differential"]))?;
    }
    figures
        .add("random decisions compared", format!("{ROUNDS} million allowed and as many denied"));
    Ok(())
}
