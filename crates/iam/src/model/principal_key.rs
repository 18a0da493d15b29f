//! The identifiers of users and groups.

/// The identifier of a group or a user: unique among those of all accounts.
pub(crate) fn key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}
