//! Journal entries after a position, and the check that they continue the same past.

use std::collections::HashMap;

use gatewright_policy::{AccountName, Revision};
use sqlx::{ColumnIndex, Decode, FromRow, Type};

use crate::error::StoreError;
use crate::journal::{Entry, EntryHash, EntryRow, entry_hash, origin};
use crate::notice::short_hash;
use crate::row::from_row;

/// A position in the journal of an account: the last entry that somebody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The account.
    pub account: AccountName,
    /// The revision of the entry; 0 is the beginning.
    pub revision: Revision,
    /// The hash of the entry.
    pub hash: EntryHash,
}

/// A row of the last entry of an account.
pub(crate) struct PositionRow {
    account: AccountName,
    revision: Revision,
    hash: Vec<u8>,
}

from_row!(PositionRow: account as AccountName, revision as Revision, hash);

impl TryFrom<PositionRow> for Position {
    type Error = StoreError;

    fn try_from(row: PositionRow) -> Result<Self, StoreError> {
        let PositionRow { account, revision, hash } = row;
        Ok(Self { account, revision, hash: entry_hash(&hash)? })
    }
}

impl Position {
    /// Returns the beginning of the journal of an account.
    pub fn origin(account: &AccountName) -> Self {
        Self { account: account.clone(), revision: Revision::ZERO, hash: origin() }
    }

    /// Returns the first half of the hash, in hexadecimal, as notices and replicas name it.
    pub fn short_hash(&self) -> String {
        short_hash(&self.hash)
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

/// A row of the journal, with the hash of the secret that its object has now.
pub(crate) struct SinceRow {
    row: EntryRow,
    secret: Option<Vec<u8>>,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for SinceRow
where
    EntryRow: FromRow<'r, R>,
    &'static str: ColumnIndex<R>,
    Vec<u8>: Type<R::Database> + Decode<'r, R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self { row: EntryRow::from_row(row)?, secret: row.try_get("secret")? })
    }
}

/// Sorts rows by the position that they follow. Where there are as many as were asked for, the account
/// of the last row may have more, and a position without rows is left out.
pub(crate) fn sort(
    positions: &[Position],
    rows: Vec<SinceRow>,
    most: i64,
) -> HashMap<AccountName, Since> {
    let is_whole = i64::try_from(rows.len()).is_ok_and(|count| count < most);
    let cut = rows.last().filter(|_| !is_whole).map(|row| row.row.account.clone());
    let mut by_account: HashMap<AccountName, Vec<SinceRow>> = HashMap::new();
    for row in rows {
        by_account.entry(row.row.account.clone()).or_default().push(row);
    }
    let mut sorted = HashMap::new();
    for position in positions {
        let is_whole_here = cut.as_ref() != Some(&position.account);
        let since = match by_account.remove(&position.account) {
            Some(rows) => match follow(position, rows) {
                Ok(Some(entries)) => Since::Entries { entries, is_whole: is_whole_here },
                Ok(None) => Since::OtherPast,
                Err(error) => Since::Unreadable(error),
            },
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

/// An entry with the hash of the secret that its object has now.
type EntryAndSecret = (Entry, Option<Vec<u8>>);

/// Reads the entries that follow a position; none where they are of another past.
fn follow(
    position: &Position,
    rows: Vec<SinceRow>,
) -> Result<Option<Vec<EntryAndSecret>>, StoreError> {
    let mut rows = rows.into_iter();
    if position.revision > Revision::ZERO {
        let same = rows.next().is_some_and(|SinceRow { row, .. }| {
            row.revision == position.revision && row.hash == position.hash
        });
        if !same {
            return Ok(None);
        }
    }
    let mut reached = position.clone();
    let mut entries = Vec::new();
    for SinceRow { row, secret } in rows {
        let entry = Entry::try_from(row)?;
        if !reached.is_followed_by(&entry) {
            return Ok(None);
        }
        reached.revision = entry.revision;
        reached.hash = entry.hash;
        entries.push((entry, secret));
    }
    Ok(Some(entries))
}
