//! The guarded APIs that accounts declare.

pub(crate) mod guarded_api;
