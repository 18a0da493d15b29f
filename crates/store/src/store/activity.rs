//! Writes and reads activity.

use gatewright_policy::AccountName;

use super::Store;
use super::log::add_pages;
use crate::activity::{ActivityBatch, HourlyCount, LastUsed};
use crate::error::StoreError;
use crate::sql;
use crate::statement::Value;

impl Store {
    /// Writes a batch of activity; fails while the disk is full.
    pub async fn record_activity(&self, batch: &ActivityBatch) -> Result<(), StoreError> {
        self.check_room()?;
        let mut transaction = self.database.begin().await?;
        add_pages(&mut transaction, &batch.pages).await?;
        for HourlyCount { account, hour, what, count } in &batch.hourly_counts {
            let values =
                [Value::Account(account), Value::Int(*hour), Value::Text(what), Value::Int(*count)];
            transaction.run(sql::HOURLY_COUNT_ADD, &values).await?;
        }
        for LastUsed { account, subject, last } in &batch.last_used {
            let values = [Value::Account(account), Value::Text(subject), Value::Instant(*last)];
            transaction.run(sql::LAST_USED_SET, &values).await?;
        }
        transaction.commit().await
    }

    /// Deletes hourly counts before `hour`.
    pub async fn delete_old_counts(&self, hour: i64) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.run(sql::HOURLY_COUNTS_DELETE, &[Value::Int(hour)]).await?;
        transaction.commit().await
    }

    /// Reads the hourly counts of the account from an hour on, in order.
    pub async fn hourly_counts(
        &self,
        account: &AccountName,
        hour: i64,
    ) -> Result<Vec<HourlyCount>, StoreError> {
        self.database.all(sql::HOURLY_COUNTS, &[Value::Account(account), Value::Int(hour)]).await
    }

    /// Reads the times of last use in the account.
    pub async fn last_used(&self, account: &AccountName) -> Result<Vec<LastUsed>, StoreError> {
        self.database.all(sql::LAST_USED, &[Value::Account(account)]).await
    }
}
