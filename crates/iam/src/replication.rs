//! The facts that other decision points follow.

pub(crate) mod replica;
