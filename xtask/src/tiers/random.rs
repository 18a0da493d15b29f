//! Runs the tests that draw their cases at random for much longer than in the other tiers.

use super::figures::Figures;
use crate::process::{Failure, command, run};

/// How many cases each property gets; the other tiers give it 256.
const CASES: &str = "20000";
/// How often a million random decisions are compared, each time from another seed.
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
