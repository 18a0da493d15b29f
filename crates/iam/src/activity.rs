//! What happened in an account.

pub(crate) mod audit;
pub(crate) mod log;
