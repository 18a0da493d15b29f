//! Simulations of policies: decisions with reasons, effective permissions, diffs and findings. A
//! simulation stores nothing and grants nothing.

pub(crate) mod diff;
pub(crate) mod effective;
pub(crate) mod exact_denies;
pub(crate) mod findings;
pub(crate) mod simulate;
pub(crate) mod target;
