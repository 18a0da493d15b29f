//! Rows that several queries read.

use gatewright_policy::{AccountName, Revision};

use crate::row::from_row;

/// The last revision of an account, and the hash of its last journal entry.
pub(super) struct Head {
    pub(super) revision: Revision,
    pub(super) head: Vec<u8>,
}

from_row!(Head: revision as Revision, head);

/// The name of an account.
pub(super) struct Name {
    pub(super) name: AccountName,
}

from_row!(Name: name as AccountName);
