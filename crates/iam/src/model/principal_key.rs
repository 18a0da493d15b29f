//! Identifiers of users and groups.

use gatewright_policy::{AccountName, GroupName};
use gatewright_store::StoreError;

use crate::model::error::IamError;

/// Builds the identifier of a user or a group: unique among those of all accounts.
pub(crate) fn principal_key(account: &AccountName, name: &str) -> String {
    format!("{account}/{name}")
}

/// Builds the identifier of a group.
pub(crate) fn group_key(account: &AccountName, name: &GroupName) -> String {
    principal_key(account, name.as_str())
}

/// Returns the name in the identifier of a group; fails for a malformed one.
pub(crate) fn group_of_key(key: &str) -> Result<GroupName, IamError> {
    name_of_key(key).map(GroupName::new)
}

/// Returns the login or the name in such an identifier; fails for a malformed one.
pub(crate) fn name_of_key(key: &str) -> Result<&str, IamError> {
    let name = key.split_once('/').map(|(_, name)| name);
    name.ok_or_else(|| {
        IamError::internal(StoreError::Malformed("the identifier of a user or a group"))
    })
}
