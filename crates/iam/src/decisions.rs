//! Decisions that are asked for.

pub(crate) mod check;
pub(crate) mod evaluation;
pub(crate) mod forwarded_request;
