//! The journal: each change with its author, in a hash chain.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use gatewright_policy::{AccountName, Instant, Revision};

use crate::error::{BrokenChain, StoreError};
use crate::object::Kind;
use crate::row::from_row;

/// The hash of a journal entry.
pub type EntryHash = [u8; SHA256_OUTPUT_LEN];

/// Reads a stored hash of an entry.
pub(crate) fn entry_hash(stored: &[u8]) -> Result<EntryHash, StoreError> {
    stored.try_into().map_err(|_| StoreError::Malformed("a hash of another length"))
}

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The URN of the identity, or the name of a command.
    pub actor: String,
    /// The address of the client, if there was one.
    pub ip: Option<String>,
    /// The query ID of the request.
    pub query_id: String,
    /// The time of the change.
    pub at: Instant,
}

/// A journal entry: one change of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account whose object changed.
    pub account: AccountName,
    /// The number of the change in the account, from 1, without gaps.
    pub revision: Revision,
    /// The author of the change.
    pub author: Author,
    /// The kind of the object.
    pub kind: Kind,
    /// The identifier of the object.
    pub object: String,
    /// The document before; none when it was created.
    pub before: Option<String>,
    /// The document after; none when it was deleted.
    pub after: Option<String>,
    /// The hash that binds this entry to all entries before it.
    pub hash: EntryHash,
}

/// The bytes of an entry beside its documents, estimated.
const ENTRY_BYTES: usize = 512;

impl Entry {
    /// Returns the bytes by which it makes the journal grow, estimated: its documents are the most of it.
    pub fn size(&self) -> usize {
        let document = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        ENTRY_BYTES + document(&self.before) + document(&self.after)
    }
}

/// Returns the hash before the first entry of an account.
pub(crate) const fn origin() -> EntryHash {
    [0; SHA256_OUTPUT_LEN]
}

impl Entry {
    /// Computes the hash that binds this entry to the one whose hash is `previous`.
    ///
    /// SHA-256 over the previous hash and every field, each with its length before it, so that no
    /// two entries have the same text to hash.
    pub(crate) fn seal(&self, previous: &EntryHash) -> EntryHash {
        let mut context = Context::new(&SHA256);
        let mut field = |bytes: Option<&[u8]>| {
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            context.update(&length.to_be_bytes());
            context.update(bytes.unwrap_or_default());
        };
        field(Some(previous));
        field(Some(self.account.as_str().as_bytes()));
        field(Some(&self.revision.number().to_be_bytes()));
        field(Some(&self.author.at.micros().to_be_bytes()));
        field(Some(self.author.actor.as_bytes()));
        field(self.author.ip.as_deref().map(str::as_bytes));
        field(Some(self.author.query_id.as_bytes()));
        field(Some(self.kind.as_str().as_bytes()));
        field(Some(self.object.as_bytes()));
        field(self.before.as_deref().map(str::as_bytes));
        field(self.after.as_deref().map(str::as_bytes));
        let mut hash = origin();
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }
}

/// Verifies a chain of entries from its origin.
pub(crate) struct Chain {
    account: AccountName,
    revision: Revision,
    head: EntryHash,
}

impl Chain {
    pub(crate) fn new(account: &AccountName) -> Self {
        Self { account: account.clone(), revision: Revision::ZERO, head: origin() }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Checks that an entry is the next one, and unmodified.
    pub(crate) fn follow(&mut self, entry: &Entry) -> Result<(), BrokenChain> {
        let account = self.account.clone();
        let revision = self.revision.next();
        if entry.revision != revision {
            return Err(BrokenChain::Gap { account, revision });
        }
        if entry.seal(&self.head) != entry.hash {
            return Err(BrokenChain::Altered { account, revision });
        }
        self.revision = revision;
        self.head = entry.hash;
        Ok(())
    }

    /// Checks that the chain ends where the account says.
    pub(crate) fn check_end(&self, revision: Revision, head: &[u8]) -> Result<(), BrokenChain> {
        if self.revision == revision && self.head == head {
            return Ok(());
        }
        Err(BrokenChain::End { account: self.account.clone(), revision: self.revision })
    }
}

pub(crate) struct EntryRow {
    pub(crate) account: AccountName,
    pub(crate) revision: Revision,
    at: Instant,
    actor: String,
    ip: Option<String>,
    query_id: String,
    kind: String,
    object: String,
    before: Option<String>,
    after: Option<String>,
    pub(crate) hash: Vec<u8>,
}

from_row!(EntryRow: account as AccountName, revision as Revision, at as Instant, actor, ip, query_id, kind, object, before, after, hash);

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        Ok(Self {
            account: row.account,
            revision: row.revision,
            author: Author { actor: row.actor, ip: row.ip, query_id: row.query_id, at: row.at },
            kind: Kind::parse(&row.kind)?,
            object: row.object,
            before: row.before,
            after: row.after,
            hash: entry_hash(&row.hash)?,
        })
    }
}
