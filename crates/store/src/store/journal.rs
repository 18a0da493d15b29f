//! Reads and verifies journals.

use gatewright_policy::{AccountName, Revision};

use super::Store;
use super::rows::Head;
use crate::error::StoreError;
use crate::journal::{Chain, Entry, EntryRow};
use crate::sql;
use crate::statement::Value;

/// The number of rows that are read at once.
const CHUNK: i64 = 10_000;

impl Store {
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
