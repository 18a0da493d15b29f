//! Reads and verifies journals.

use std::collections::HashMap;

use gatewright_policy::{AccountName, Revision};

use super::Store;
use super::rows::Head;
use crate::error::StoreError;
use crate::journal::{Chain, Entry, EntryRow};
use crate::since::{Position, Since, SinceRow, sort};
use crate::sql;
use crate::statement::Value;

/// The number of rows that are read at once.
const CHUNK: i64 = 10_000;

/// The number of positions that one statement asks about.
const POSITIONS: usize = 32;

/// The maximum number of rows that one statement about positions reads.
const MOST_ROWS: i64 = 1_000;

impl Store {
    /// Reads the journal entries after each position, of at most 32 accounts in one statement.
    ///
    /// An account that the answer leaves out, since there was too much before it, is to be asked
    /// about again.
    pub async fn journals_since(
        &self,
        positions: &[Position],
    ) -> Result<HashMap<AccountName, Since>, StoreError> {
        let positions = positions.get(..POSITIONS).unwrap_or(positions);
        let mut values = Vec::with_capacity(2 * POSITIONS + 1);
        for Position { account, revision, .. } in positions {
            values.extend([Value::Account(account), Value::Revision(*revision)]);
        }
        // No account has an empty name.
        while values.len() < 2 * POSITIONS {
            values.extend([Value::Text(""), Value::Int(0)]);
        }
        values.push(Value::Int(MOST_ROWS));
        let rows = self.database.all::<SinceRow>(sql::JOURNAL_SINCE, &values).await?;
        Ok(sort(positions, rows, MOST_ROWS))
    }

    /// Reads at most `most` journal entries after revision `after`, in order.
    pub async fn journal(
        &self,
        account: &AccountName,
        after: Revision,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let values = [Value::Account(account), Value::Revision(after), Value::Int(most)];
        let rows = self.database.all::<EntryRow>(sql::JOURNAL, &values).await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    /// Reads at most `most` journal entries before revision `before`, the last first.
    pub async fn journal_before(
        &self,
        account: &AccountName,
        before: Revision,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let values = [Value::Account(account), Value::Revision(before), Value::Int(most)];
        let rows = self.database.all::<EntryRow>(sql::JOURNAL_BEFORE, &values).await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    /// Verifies the journal of an account from the first entry to the last, and returns the number
    /// of entries; fails at the first one that is missing or modified.
    pub async fn verify_journal(&self, account: &AccountName) -> Result<i64, StoreError> {
        let mut chain = Chain::new(account);
        // Entries that are added meanwhile are left out.
        let head: Head = self
            .database
            .first(sql::ACCOUNT_HEAD, &[Value::Account(account)])
            .await?
            .ok_or(StoreError::Missing)?;
        while chain.revision() < head.revision {
            let most = CHUNK.min(head.revision.number() - chain.revision().number());
            let entries = self.journal(account, chain.revision(), most).await?;
            for entry in &entries {
                chain.follow(entry)?;
            }
            if entries.is_empty() {
                break;
            }
        }
        chain.check_end(head.revision, &head.head)?;
        Ok(head.revision.number())
    }
}
