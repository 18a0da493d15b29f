//! Reads the accounts, and their revisions.

use gatewright_policy::{AccountName, Revision};

use super::Store;
use super::rows::{Head, Name};
use crate::error::StoreError;
use crate::since::Position;
use crate::sql;
use crate::statement::Value;

impl Store {
    /// Reads the names of all accounts.
    pub async fn accounts(&self) -> Result<Vec<AccountName>, StoreError> {
        let names = self.database.all::<Name>(sql::ACCOUNTS, &[]).await?;
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// Reads the last revision of an account; none if there is no such account.
    pub async fn revision(&self, account: &AccountName) -> Result<Option<Revision>, StoreError> {
        let head: Option<Head> =
            self.database.first(sql::ACCOUNT_HEAD, &[Value::Account(account)]).await?;
        Ok(head.map(|head| head.revision))
    }

    /// Reads the position of an account's last change; none when there is no such account.
    pub async fn position(&self, account: &AccountName) -> Result<Option<Position>, StoreError> {
        let head: Option<Head> =
            self.database.first(sql::ACCOUNT_HEAD, &[Value::Account(account)]).await?;
        head.map(|head| head.position(account)).transpose()
    }

    /// Reads the position of the entry at a revision; none where the journal has no such entry.
    pub async fn position_at(
        &self,
        account: &AccountName,
        revision: Revision,
    ) -> Result<Option<Position>, StoreError> {
        if revision == Revision::ZERO {
            return Ok(Some(Position::origin(account)));
        }
        let values = [Value::Account(account), Value::Revision(revision)];
        let head: Option<Head> = self.database.first(sql::JOURNAL_HASH, &values).await?;
        head.map(|head| head.position(account)).transpose()
    }
}
