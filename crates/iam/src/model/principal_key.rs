//! Identifiers of users and groups.

use gatewright_policy::{AccountName, GroupName, Login};
use gatewright_store::StoreError;

use crate::model::error::IamError;

/// Builds the identifier of a user: unique among those of all accounts.
pub(crate) fn user_key(account: &AccountName, login: &Login) -> String {
    format!("{account}/{login}")
}

/// Builds the identifier of a group: unique among those of all accounts.
pub(crate) fn group_key(account: &AccountName, name: &GroupName) -> String {
    format!("{account}/{name}")
}

/// Returns the login in the identifier of a user; fails for a malformed one.
pub(crate) fn login_of_key(key: &str) -> Result<Login, IamError> {
    name_of_key(key).map(Login::new)
}

/// Returns the name in the identifier of a group; fails for a malformed one.
pub(crate) fn group_of_key(key: &str) -> Result<GroupName, IamError> {
    name_of_key(key).map(GroupName::new)
}

fn name_of_key(key: &str) -> Result<&str, IamError> {
    let name = key.split_once('/').map(|(_, name)| name);
    name.ok_or_else(|| {
        IamError::internal(StoreError::Malformed("the identifier of a user or a group"))
    })
}
