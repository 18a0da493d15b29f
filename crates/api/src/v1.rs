//! Version 1: who one is, the account, service accounts.

pub(crate) mod auth;
pub(crate) mod client;
pub(crate) mod identity;
pub(crate) mod me;
