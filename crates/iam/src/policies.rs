//! Policies, permissions groups, and what they come to.

pub(crate) mod permissions_group;
pub(crate) mod policy;
pub(crate) mod simulation;
