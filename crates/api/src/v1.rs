//! Version 1: who one is, the account, service accounts.

pub(crate) mod auth;
pub(crate) mod client;
pub(crate) mod identity;
pub(crate) mod log;
pub(crate) mod me;
pub(crate) mod user_token;
