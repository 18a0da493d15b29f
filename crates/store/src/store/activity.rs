//! Writes and reads activity.

use std::collections::BTreeMap;

use gatewright_policy::{AccountName, Instant};

use super::Store;
use crate::activity::{ActivityBatch, HourlyCount, LastUsed, LogPage, LogSize};
use crate::error::StoreError;
use crate::row::from_row;
use crate::sql;
use crate::statement::{Statement, Value};
use crate::transaction::Transaction;

/// The number of pages that one transaction deletes at most, and about their size, in bytes: no
/// other write waits for long.
const PAGES_AT_ONCE: i64 = 1_000;
const BYTES_AT_ONCE: i64 = 16 * 1024 * 1024;

/// The size of all logs.
struct Total {
    bytes: i64,
}

from_row!(Total: bytes);

/// The end of a page, and its size.
struct PageSize {
    last: Instant,
    bytes: i64,
}

from_row!(PageSize: last as Instant, bytes);

/// Returns the end of the last of some pages in their order that are about so large together; none
/// where there are no pages.
fn end_of(pages: &[PageSize], bytes: i64) -> Option<Instant> {
    let (mut sum, mut end) = (0, None);
    for page in pages {
        if sum >= bytes {
            break;
        }
        sum += page.bytes;
        end = Some(page.last);
    }
    end
}

/// Adds to the sizes of logs, in one order: transactions that lock them in different orders would
/// deadlock.
async fn add_sizes(
    transaction: &mut Transaction,
    sizes: BTreeMap<(&AccountName, &str), i64>,
) -> Result<(), StoreError> {
    for ((account, kind), bytes) in sizes {
        let values = [Value::Account(account), Value::Text(kind), Value::Int(bytes)];
        transaction.run(sql::LOG_SIZE_ADD, &values).await?;
    }
    Ok(())
}

impl Store {
    /// Writes a batch of activity.
    pub async fn record_activity(&self, batch: &ActivityBatch) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let mut sizes = BTreeMap::new();
        for page in &batch.pages {
            let bytes = i64::try_from(page.lines.len()).unwrap_or(i64::MAX);
            *sizes.entry((&page.account, page.kind.as_str())).or_default() += bytes;
            let values = [
                Value::Account(&page.account),
                Value::Text(&page.kind),
                Value::Instant(page.first),
                Value::Instant(page.last),
                Value::Text(&page.lines),
                Value::Int(bytes),
            ];
            transaction.run(sql::LOG_ADD, &values).await?;
        }
        add_sizes(&mut transaction, sizes).await?;
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

    /// Deletes hourly counts before `hour`.
    pub async fn delete_old_counts(&self, hour: i64) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.run(sql::HOURLY_COUNTS_DELETE, &[Value::Int(hour)]).await?;
        transaction.commit().await
    }

    /// Deletes some of the oldest pages of all logs that end before `before`; returns whether there
    /// were any. One call deletes little.
    pub async fn delete_old_lines(&self, before: Instant) -> Result<bool, StoreError> {
        let values = [Value::Instant(before), Value::Int(PAGES_AT_ONCE)];
        let pages = self.database.all::<PageSize>(sql::LOG_OLD_PAGES, &values).await?;
        let Some(end) = end_of(&pages, BYTES_AT_ONCE) else { return Ok(false) };
        self.delete_pages(sql::LOG_DELETE_OLD, &[Value::Instant(end)]).await?;
        Ok(true)
    }

    /// Deletes some of the oldest pages of the largest log, if it has more than `of_log` bytes or all
    /// logs together have more than `in_all`; none where they have not. One call deletes little.
    pub async fn trim_logs(
        &self,
        (of_log, in_all): (i64, i64),
    ) -> Result<Option<LogSize>, StoreError> {
        let largest = self.database.first::<LogSize>(sql::LOG_LARGEST, &[]).await?;
        let Some(LogSize { account, kind, bytes }) = largest else { return Ok(None) };
        let total: Option<Total> = self.database.first(sql::LOG_SIZE, &[]).await?;
        let beyond = total.map_or(0, |total| total.bytes - in_all);
        let excess = beyond.max(bytes - of_log);
        if excess <= 0 {
            return Ok(None);
        }
        let log = || [Value::Account(&account), Value::Text(&kind)];
        let [of, kind_of] = log();
        let values = [of, kind_of, Value::Int(PAGES_AT_ONCE)];
        let pages = self.database.all::<PageSize>(sql::LOG_FIRST_PAGES, &values).await?;
        let Some(end) = end_of(&pages, excess.min(BYTES_AT_ONCE)) else { return Ok(None) };
        let [of, kind_of] = log();
        let values = [of, kind_of, Value::Instant(end)];
        let bytes = self.delete_pages(sql::LOG_DELETE_FIRST, &values).await?;
        Ok(Some(LogSize { account, kind, bytes }))
    }

    /// Deletes pages, and counts what was deleted, so that two nodes that delete the same pages count
    /// them once; returns their size.
    async fn delete_pages(
        &self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<i64, StoreError> {
        let mut transaction = self.database.begin().await?;
        let pages = transaction.all::<LogSize>(statement, values).await?;
        let (mut sizes, mut sum) = (BTreeMap::new(), 0);
        for page in pages.iter().filter(|page| page.bytes > 0) {
            *sizes.entry((&page.account, page.kind.as_str())).or_default() -= page.bytes;
            sum += page.bytes;
        }
        add_sizes(&mut transaction, sizes).await?;
        transaction.commit().await?;
        Ok(sum)
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
