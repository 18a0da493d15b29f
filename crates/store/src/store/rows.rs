//! Rows that several queries read.

use gatewright_policy::AccountName;

use crate::row::from_row;

/// The last revision of an account, and the hash of its last journal entry.
pub(super) struct Head {
    pub(super) revision: i64,
    pub(super) head: Vec<u8>,
}

from_row!(Head: revision, head);

/// The name of an account.
pub(super) struct Name {
    pub(super) name: AccountName,
}

from_row!(Name: name as AccountName);
