//! Rows that several queries read.

use gatewright_policy::{AccountName, Revision};

use crate::error::StoreError;
use crate::journal::entry_hash;
use crate::row::from_row;
use crate::since::Position;

/// The last revision of an account, and the hash of its last journal entry.
pub(super) struct Head {
    pub(super) revision: Revision,
    pub(super) head: Vec<u8>,
}

from_row!(Head: revision as Revision, head);

impl Head {
    /// Returns the position of the entry in the journal of an account.
    pub(super) fn position(&self, account: &AccountName) -> Result<Position, StoreError> {
        let hash = entry_hash(&self.head)?;
        Ok(Position { account: account.clone(), revision: self.revision, hash })
    }
}

/// The name of an account.
pub(super) struct Name {
    pub(super) name: AccountName,
}

from_row!(Name: name as AccountName);
