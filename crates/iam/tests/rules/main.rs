//! Tests of the use cases in process: with a database in memory, a fixed clock and reproducible
//! randomness.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod activity;
mod apis;
mod assertions;
mod authenticator;
mod clock;
mod creation;
mod decisions;
mod escalation;
mod freshness;
mod guessing;
mod identities;
mod installation;
mod limits;
mod log_search;
mod policies;
mod rates;
mod reauthentication;
mod replication;
mod resources;
mod rights;
mod roles;
mod second_factor;
mod sign_in;
mod simulation;
mod source;
mod tenancy;
mod tokens;
