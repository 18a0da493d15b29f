//! Guarded APIs that accounts declare.

pub(crate) mod guarded_api;
