//! Writes and reads activity.

use std::time::Duration;

use gatewright_policy::{AccountName, Instant};

use super::Store;
use crate::activity::{ActivityBatch, HourlyCount, LastUsed, LogPage};
use crate::error::StoreError;
use crate::row::from_row;
use crate::sql;
use crate::statement::Value;

/// The time that the pages of one deletion span.
const SLICE: Duration = Duration::from_mins(10);

/// The end of the oldest page.
struct Oldest {
    last: Instant,
}

from_row!(Oldest: last as Instant);

impl Store {
    /// Writes a batch of activity.
    pub async fn record_activity(&self, batch: &ActivityBatch) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        for page in &batch.pages {
            let values = [
                Value::Account(&page.account),
                Value::Text(&page.kind),
                Value::Instant(page.first),
                Value::Instant(page.last),
                Value::Text(&page.lines),
            ];
            transaction.run(sql::LOG_ADD, &values).await?;
        }
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

    /// Reads the pages with lines before `before`: those that overlap it, in no order, then at most
    /// `most` earlier ones, the last first.
    pub async fn log_before(
        &self,
        account: &AccountName,
        kind: &str,
        before: Instant,
        most: i64,
    ) -> Result<Vec<LogPage>, StoreError> {
        let values = [Value::Account(account), Value::Text(kind), Value::Instant(before)];
        let mut pages = self.database.all::<LogPage>(sql::LOG_OVERLAPPING, &values).await?;
        let [account, kind, before] = values;
        let values = [account, kind, before, Value::Int(most)];
        pages.extend(self.database.all::<LogPage>(sql::LOG_BEFORE, &values).await?);
        Ok(pages)
    }

    /// Deletes the log lines before `lines` and the hourly counts before `hour`; returns the number
    /// of pages that were deleted. Each statement deletes a slice, so that a long backlog meets no
    /// time limit.
    pub async fn delete_old_activity(&self, lines: Instant, hour: i64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        while let Some(oldest) = self.oldest_line().await?.filter(|oldest| *oldest < lines) {
            let until = oldest.saturating_add(SLICE).min(lines);
            let mut transaction = self.database.begin().await?;
            deleted += transaction.run(sql::LOG_DELETE, &[Value::Instant(until)]).await?;
            transaction.commit().await?;
        }
        let mut transaction = self.database.begin().await?;
        transaction.run(sql::HOURLY_COUNTS_DELETE, &[Value::Int(hour)]).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Reads when the oldest page of any log ends; none where there is none.
    async fn oldest_line(&self) -> Result<Option<Instant>, StoreError> {
        let oldest: Option<Oldest> = self.database.first(sql::LOG_OLDEST, &[]).await?;
        Ok(oldest.map(|oldest| oldest.last))
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
