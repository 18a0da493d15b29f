//! The activity of an account: the audit log, and the logs of tokens, decisions and calls.

pub(crate) mod audit;
mod elevation;
pub(crate) mod log;
mod search;
