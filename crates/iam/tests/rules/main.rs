//! Holds the rules of the use cases, in process: on a database in memory, by a clock that stands
//! still, with randomness that repeats.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod activity;
mod apis;
mod decisions;
mod identities;
mod installation;
mod policies;
mod replication;
mod resources;
mod rights;
mod roles;
mod sign_in;
mod simulation;
mod tenancy;
mod tokens;
