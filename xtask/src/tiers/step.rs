//! A step of the tests, and the selection of steps.

use super::figures::Figures;
use crate::needs::Need;
use crate::process::Failure;

/// The extent of a test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Minutes, with nothing but Rust and a C compiler.
    Quick,
    /// The run of CI.
    Whole,
    /// Hours: mostly measurements.
    Long,
}

/// The steps to run.
#[derive(Debug, PartialEq)]
pub(crate) struct Selection {
    pub(crate) tier: Tier,
    /// The names of the steps; all steps of the tier if empty.
    pub(crate) only: Vec<String>,
    pub(crate) list: bool,
}

/// A step of the tests.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) tiers: &'static [Tier],
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&mut Figures) -> Result<(), Failure>,
}

impl Step {
    pub(crate) const fn new(
        name: &'static str,
        tiers: &'static [Tier],
        needs: &'static [Need],
        run: fn(&mut Figures) -> Result<(), Failure>,
    ) -> Self {
        Self { name, tiers, needs, run }
    }
}
