//! Journal entries after a position, and the check that they continue the same past.

use std::collections::HashMap;

use gatewright_policy::{AccountName, Instant, Revision};

use crate::error::StoreError;
use crate::journal::{Author, Entry, origin};
use crate::notice::mark;
use crate::object::Kind;
use crate::row::from_row;

/// A position in the journal of an account: the last entry that somebody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The account.
    pub account: AccountName,
    /// The revision of the entry; 0 is the beginning.
    pub revision: Revision,
    /// The hash of the entry.
    pub hash: Vec<u8>,
}

impl Position {
    /// Returns the beginning of the journal of an account.
    pub fn origin(account: &AccountName) -> Self {
        Self { account: account.clone(), revision: Revision::ZERO, hash: origin() }
    }

    /// Returns the first half of the hash, in hexadecimal, as notices and replicas name it.
    pub fn mark(&self) -> String {
        mark(&self.hash)
    }

    /// Tells whether an entry is the next after the position, in the same past.
    pub fn is_followed_by(&self, entry: &Entry) -> bool {
        entry.account == self.account
            && entry.revision == self.revision.next()
            && entry.seal(&self.hash) == entry.hash
    }
}

/// The journal entries of an account after a position.
#[derive(Debug)]
pub enum Since {
    /// The next entries, in order.
    Entries {
        /// The entries, each with the hash of the secret that its object has now.
        entries: Vec<(Entry, Option<Vec<u8>>)>,
        /// True if there were no more when they were read.
        is_whole: bool,
    },
    /// The journal does not hold the entry at the position, or others follow it than those that
    /// were given out: the database has lost changes.
    OtherPast,
    /// An entry cannot be read by this program.
    Unreadable(StoreError),
}

pub(crate) struct SinceRow {
    account: String,
    revision: Revision,
    at: Instant,
    actor: String,
    ip: Option<String>,
    query_id: String,
    kind: String,
    object: String,
    before: Option<String>,
    after: Option<String>,
    hash: Vec<u8>,
    secret: Option<Vec<u8>>,
}

from_row!(SinceRow: account, revision as Revision, at as Instant, actor, ip, query_id, kind, object, before, after, hash, secret);

/// Sorts rows by the position that they follow. `is_whole` tells that there are no more rows; otherwise
/// the account of the last row may have more, and a position without rows is left out.
pub(crate) fn sort(
    positions: &[Position],
    rows: Vec<SinceRow>,
    is_whole: bool,
) -> HashMap<AccountName, Since> {
    let cut = rows.last().filter(|_| !is_whole).map(|row| row.account.clone());
    let mut by_account: HashMap<String, Vec<SinceRow>> = HashMap::new();
    for row in rows {
        by_account.entry(row.account.clone()).or_default().push(row);
    }
    let mut sorted = HashMap::new();
    for position in positions {
        let is_whole_here = cut.as_deref() != Some(position.account.as_str());
        let since = match by_account.remove(position.account.as_str()) {
            Some(rows) => follow(position, rows, is_whole_here).unwrap_or_else(Since::Unreadable),
            None if position.revision == Revision::ZERO && is_whole => {
                Since::Entries { entries: Vec::new(), is_whole }
            }
            None if is_whole => Since::OtherPast,
            None => continue,
        };
        sorted.insert(position.account.clone(), since);
    }
    sorted
}

fn follow(position: &Position, rows: Vec<SinceRow>, is_whole: bool) -> Result<Since, StoreError> {
    let mut rows = rows.into_iter();
    if position.revision > Revision::ZERO {
        let same = rows
            .next()
            .is_some_and(|row| row.revision == position.revision && row.hash == position.hash);
        if !same {
            return Ok(Since::OtherPast);
        }
    }
    let mut reached = position.clone();
    let mut entries = Vec::new();
    for row in rows {
        let (entry, secret) = row.entry()?;
        if !reached.is_followed_by(&entry) {
            return Ok(Since::OtherPast);
        }
        reached.revision = entry.revision;
        reached.hash.clone_from(&entry.hash);
        entries.push((entry, secret));
    }
    Ok(Since::Entries { entries, is_whole })
}

impl SinceRow {
    fn entry(self) -> Result<(Entry, Option<Vec<u8>>), StoreError> {
        let entry = Entry {
            account: AccountName::new(self.account),
            revision: self.revision,
            author: Author { actor: self.actor, ip: self.ip, query_id: self.query_id, at: self.at },
            kind: Kind::parse(&self.kind)?,
            object: self.object,
            before: self.before,
            after: self.after,
            hash: self.hash,
        };
        Ok((entry, self.secret))
    }
}
