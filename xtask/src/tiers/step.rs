//! What a step of the tests is.

use super::figures::Figures;
use crate::needs::Need;
use crate::process::Failure;

/// How much is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// In minutes, with nothing but Rust and a C compiler.
    Quick,
    /// As CI runs it.
    Whole,
    /// For hours: what is measured rather than passed.
    Long,
}

/// Which steps were asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Selection {
    pub(crate) tier: Tier,
    /// The names of the steps to run; all of the tier when it is empty.
    pub(crate) only: Vec<String>,
    pub(crate) list: bool,
}

/// One thing that is tested.
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
