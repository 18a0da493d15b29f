//! Tests of the running program over HTTP, on both databases.

#![allow(
    clippy::disallowed_methods,
    reason = "the program under test runs by the clock of the machine"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod access;
mod assertions;
mod attacks;
mod bad_input;
mod browser;
mod clients;
mod commands;
mod connection_limits;
mod crash;
mod decisions;
mod destinations;
mod embedded;
mod evasion;
mod ext_authz;
mod forward_auth;
#[cfg(target_os = "linux")]
mod full_disk;
mod groups;
mod guard;
mod guards;
mod http2;
mod http2_attacks;
mod idempotency;
mod identities;
mod keystone;
mod logs;
mod nodes;
mod openapi;
mod openstack;
mod operations;
mod overload;
mod panel;
mod panel_client;
mod panel_guard;
mod panel_pages;
mod panel_policies;
mod panel_reauthentication;
mod panel_second_factor;
mod policies;
mod postgres_without_room;
mod preconditions;
mod processes;
mod programs;
mod proxies;
mod python;
mod rates;
mod readme;
mod resources;
mod response_memory;
mod server;
mod server_log;
mod slow_database;
mod stored_markup;
mod strict;
mod tokens;
mod user_tokens;
