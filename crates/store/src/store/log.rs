//! Writes, lists and deletes the pages of logs.

use std::collections::BTreeMap;

use gatewright_policy::{AccountName, Instant};

use super::Store;
use crate::error::StoreError;
use crate::log::{Listing, LogPage, LogSize, LogSpan, PAGE_SPAN, PageListing};
use crate::row::from_row;
use crate::sql;
use crate::statement::{Statement, Value};
use crate::transaction::Transaction;

/// The maximum size of the lines of a page that a listing shows in place of its terms, in bytes.
const LISTED_LINES: i64 = 16 * 1024;

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
pub(super) async fn add_sizes(
    transaction: &mut Transaction,
    sizes: BTreeMap<(&AccountName, &str), i64>,
) -> Result<(), StoreError> {
    for ((account, kind), bytes) in sizes {
        let values = [Value::Account(account), Value::Text(kind), Value::Int(bytes)];
        transaction.run(sql::LOG_SIZE_ADD, &values).await?;
    }
    Ok(())
}

/// Adds pages and their terms; returns their sizes.
pub(super) async fn add_rows<'p>(
    transaction: &mut Transaction,
    pages: &'p [LogPage],
) -> Result<BTreeMap<(&'p AccountName, &'p str), i64>, StoreError> {
    let mut sizes = BTreeMap::new();
    for page in pages {
        let LogPage { account, kind, first, last, lines, terms } = page;
        let bytes = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        *sizes.entry((account, kind.as_str())).or_default() += bytes;
        let (account, kind) = (Value::Account(account), Value::Text(kind));
        let (first, last) = (Value::Instant(*first), Value::Instant(*last));
        let lines = Value::Text(lines);
        let has_terms = Value::Int(terms.is_some().into());
        let values = [account, kind, first, last, lines, Value::Int(bytes), has_terms];
        transaction.run(sql::LOG_ADD, &values).await?;
        if let Some(terms) = terms {
            let values = [account, kind, first, last, Value::Bytes(terms.as_bytes())];
            transaction.run(sql::LOG_TERMS_ADD, &values).await?;
        }
    }
    Ok(sizes)
}

/// Adds pages, and counts their sizes.
pub(super) async fn add_pages(
    transaction: &mut Transaction,
    pages: &[LogPage],
) -> Result<(), StoreError> {
    let sizes = add_rows(transaction, pages).await?;
    add_sizes(transaction, sizes).await
}

/// The lines of a page.
struct Lines {
    lines: String,
}

from_row!(Lines: lines);

impl Store {
    /// Lists the latest pages with lines in a span, in the order of their last lines, the latest
    /// first.
    pub async fn log_pages(
        &self,
        LogSpan { account, kind, from, before }: LogSpan<'_>,
        listing: Listing,
        most: i64,
    ) -> Result<Vec<PageListing>, StoreError> {
        let (account, kind) = (Value::Account(account), Value::Text(kind));
        let after = Value::Instant(before.saturating_add(PAGE_SPAN));
        let (from, before) = (Value::Instant(from), Value::Instant(before));
        match listing {
            Listing::Lines => {
                let values = [account, kind, from, after, before, Value::Int(most)];
                self.database.all(sql::LOG_PAGES, &values).await
            }
            Listing::Terms => {
                let (most, small) = (Value::Int(most), Value::Int(LISTED_LINES));
                let values = [account, kind, from, after, before, most, small];
                self.database.all(sql::LOG_TERMS, &values).await
            }
        }
    }

    /// Reads the lines of a page that a listing shows without them: none where it was deleted or
    /// merged with others meanwhile, those of several pages where they span the same time.
    pub async fn log_lines(
        &self,
        (account, kind): (&AccountName, &str),
        page: &PageListing,
    ) -> Result<Vec<String>, StoreError> {
        let values = [
            Value::Account(account),
            Value::Text(kind),
            Value::Instant(page.last),
            Value::Instant(page.first),
            Value::Int(page.has_terms().into()),
        ];
        let pages: Vec<Lines> = self.database.all(sql::LOG_LINES, &values).await?;
        Ok(pages.into_iter().map(|page| page.lines).collect())
    }

    /// Deletes some of the oldest pages of all logs that end before `before`; returns whether there
    /// were any. One call deletes little.
    pub async fn delete_old_lines(&self, before: Instant) -> Result<bool, StoreError> {
        let values = [Value::Instant(before), Value::Int(PAGES_AT_ONCE)];
        let pages = self.database.all::<PageSize>(sql::LOG_OLD_PAGES, &values).await?;
        let Some(end) = end_of(&pages, BYTES_AT_ONCE) else { return Ok(false) };
        let statements = [sql::LOG_TERMS_DELETE_OLD, sql::LOG_DELETE_OLD];
        self.delete_pages(statements, &[Value::Instant(end)]).await?;
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
        let statements = [sql::LOG_TERMS_DELETE_FIRST, sql::LOG_DELETE_FIRST];
        let bytes = self.delete_pages(statements, &values).await?;
        Ok(Some(LogSize { account, kind, bytes }))
    }

    /// Deletes pages, and counts what was deleted, so that two nodes that delete the same pages count
    /// them once; returns their size.
    async fn delete_pages(
        &self,
        [terms, lines]: [Statement; 2],
        values: &[Value<'_>],
    ) -> Result<i64, StoreError> {
        let mut transaction = self.database.begin().await?;
        // The terms first: a page that another node adds meanwhile may lose its lines to the second
        // statement, but never its terms alone, without which it would not be found.
        transaction.run(terms, values).await?;
        let pages = transaction.all::<LogSize>(lines, values).await?;
        let (mut sizes, mut sum) = (BTreeMap::new(), 0);
        for page in pages.iter().filter(|page| page.bytes > 0) {
            *sizes.entry((&page.account, page.kind.as_str())).or_default() -= page.bytes;
            sum += page.bytes;
        }
        add_sizes(&mut transaction, sizes).await?;
        transaction.commit().await?;
        Ok(sum)
    }
}
