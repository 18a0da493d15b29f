//! Identities: accounts with their owners, users, groups and service accounts.

pub(crate) mod account;
pub(crate) mod client;
pub(crate) mod group;
pub(crate) mod sign_in;
pub(crate) mod user;
pub(crate) mod user_token;
