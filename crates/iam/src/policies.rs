//! Policies, permissions groups, and simulations.

pub(crate) mod cost;
pub(crate) mod permissions_group;
pub(crate) mod policy;
pub(crate) mod simulation;
