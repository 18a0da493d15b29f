//! Merges pages of logs that have no terms.

use gatewright_policy::{AccountName, Instant};

use super::Store;
use super::log::{add_rows, add_sizes};
use crate::error::StoreError;
use crate::log::{LogPage, LogSize, MergeablePage};
use crate::row::from_row;
use crate::sql;
use crate::statement::Value;

/// A page that is replaced.
struct TakenPage {
    lines: String,
    bytes: i64,
}

from_row!(TakenPage: lines, bytes);

impl Store {
    /// Lists some of the logs whose pages without terms have so many bytes together, or of which one
    /// ended before an instant.
    pub async fn mergeable_logs(
        &self,
        (bytes, before): (i64, Instant),
        most: i64,
    ) -> Result<Vec<LogSize>, StoreError> {
        let values = [Value::Int(bytes), Value::Instant(before), Value::Int(most)];
        self.database.all(sql::LOGS_MERGEABLE, &values).await
    }

    /// Lists the first pages of a log that have no terms, in their order.
    pub async fn mergeable_pages(
        &self,
        (account, kind): (&AccountName, &str),
        most: i64,
    ) -> Result<Vec<MergeablePage>, StoreError> {
        let values = [Value::Account(account), Value::Text(kind), Value::Int(most)];
        self.database.all(sql::LOG_MERGEABLE, &values).await
    }

    /// Replaces the pages of a log that have no terms, and end between two instants, by those that a
    /// function makes of their lines. Returns false, and changes nothing, where there are none: another
    /// node was first.
    pub async fn merge_pages<E: From<StoreError>>(
        &self,
        (account, kind): (&AccountName, &str),
        (first, last): (Instant, Instant),
        merge: impl FnOnce(&[String]) -> Result<Vec<LogPage>, E>,
    ) -> Result<bool, E> {
        self.check_room()?;
        let mut transaction = self.database.begin().await?;
        let values = [
            Value::Account(account),
            Value::Text(kind),
            Value::Instant(first),
            Value::Instant(last),
        ];
        let taken: Vec<TakenPage> = transaction.all(sql::LOG_TAKE, &values).await?;
        if taken.is_empty() {
            transaction.roll_back().await;
            return Ok(false);
        }
        let before: i64 = taken.iter().map(|page| page.bytes).sum();
        let lines: Vec<String> = taken.into_iter().map(|page| page.lines).collect();
        let pages = match merge(&lines) {
            Ok(pages) => pages,
            Err(error) => {
                transaction.roll_back().await;
                return Err(error);
            }
        };
        let mut sizes = add_rows(&mut transaction, &pages).await?;
        *sizes.entry((account, kind)).or_default() -= before;
        // Only pages of the first version, which counted nothing, change the size.
        sizes.retain(|_, bytes| *bytes != 0);
        add_sizes(&mut transaction, sizes).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
