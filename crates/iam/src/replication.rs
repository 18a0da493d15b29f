//! Replication of facts to other decision points.

pub(crate) mod replica;
