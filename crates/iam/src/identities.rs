//! Accounts, and who works in them: owners, users, groups and service accounts.

pub(crate) mod account;
pub(crate) mod client;
pub(crate) mod group;
pub(crate) mod sign_in;
pub(crate) mod user;
pub(crate) mod user_token;
