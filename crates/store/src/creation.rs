//! Creations under an idempotency key.

use gatewright_policy::{AccountName, Instant, Revision};

use crate::row::from_row;

/// The idempotency key of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationKey {
    /// The key, unique in the installation.
    pub key: String,
    /// The account of the caller, for which keys are counted.
    pub account: AccountName,
    /// The fingerprint of the request.
    pub request: String,
    /// The time from which on keys of the account count; older ones are deleted.
    pub since: Instant,
    /// The maximum number of keys of the account.
    pub most: i64,
}

/// A creation under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// The fingerprint of the request.
    pub request: String,
    /// The account that owns what was created.
    pub owner: AccountName,
    /// The revision of the creation in the owner's journal.
    pub revision: Revision,
    /// The time of the creation.
    pub at: Instant,
}

from_row!(Creation: request, owner as AccountName, revision as Revision, at as Instant);

/// A number of rows.
pub(crate) struct Count {
    pub(crate) count: i64,
}

from_row!(Count: count);
