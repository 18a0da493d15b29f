//! Merges the small pages of logs into larger ones: outside the path of requests, in small steps
//! with pauses, beside the task that writes.
//!
//! Several nodes may do so at once. A page is replaced in one transaction, by the node that deletes
//! it first.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::{AccountName, Instant};
use gatewright_store::{CauseChain, LogPage, LogSize, MergeablePage, PAGE_SPAN};
use tokio::task::JoinHandle;

use super::Recorder;
use super::pages::{Pages, WithTerms};
use crate::model::error::IamError;
use crate::model::log::Line;

/// The time between two rounds.
const MERGE_EVERY: Duration = Duration::from_mins(1);

/// The time between two steps of a round, in which others write.
const STEP_PAUSE: Duration = Duration::from_millis(20);

/// The size of the pages that are merged at once, in bytes: with one more small page they are not
/// too large for one.
const ENOUGH: i64 = 48 * 1024;

/// The maximum numbers of logs that are listed at once, and of pages that are merged at once.
const LOGS_AT_ONCE: i64 = 100;
const PAGES_AT_ONCE: i64 = 1_000;

impl Recorder {
    /// Starts the task that merges pages until it is aborted.
    pub(crate) fn run_merging(self: &Arc<Self>) -> JoinHandle<()> {
        let recorder = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(MERGE_EVERY).await;
                if let Err(error) = recorder.merge().await {
                    tracing::warn!(error = %CauseChain(&error), "small pages of logs stay for now");
                }
            }
        })
    }

    /// Merges the small pages of each log that has enough of them, or some that are older than a page
    /// spans.
    pub(crate) async fn merge(&self) -> Result<(), IamError> {
        let now = self.sources.now();
        let old = now.saturating_sub(PAGE_SPAN);
        let mut done = Ok(());
        loop {
            let logs = self.store.mergeable_logs((ENOUGH, old), LOGS_AT_ONCE).await?;
            let mut is_merged = false;
            for LogSize { account, kind, .. } in &logs {
                // A log that cannot be read keeps no other from being merged.
                match self.merge_log(account, kind, now).await {
                    Ok(merged) => is_merged |= merged,
                    Err(error) => done = Err(error),
                }
            }
            if !is_merged {
                return done;
            }
        }
    }

    /// Merges the small pages of a log; returns whether there were any.
    async fn merge_log(
        &self,
        account: &AccountName,
        kind: &str,
        now: Instant,
    ) -> Result<bool, IamError> {
        let mut is_merged = false;
        while self.merge_some(account, kind, now).await? {
            is_merged = true;
            tokio::time::sleep(STEP_PAUSE).await;
        }
        Ok(is_merged)
    }

    /// Merges the first pages of a log that can be; returns whether there were any.
    async fn merge_some(
        &self,
        account: &AccountName,
        kind: &str,
        now: Instant,
    ) -> Result<bool, IamError> {
        let pages = self.store.mergeable_pages((account, kind), PAGES_AT_ONCE).await?;
        let Some(ends) = chosen(&pages, now) else { return Ok(false) };
        let log = (account, kind);
        self.store.merge_pages(log, ends, |texts| merged(log, texts)).await
    }
}

/// Chooses pages that are merged at once: the first ones, up to a size and the longest span. Returns
/// the ends of the first and the last; none where it is too early.
fn chosen(pages: &[MergeablePage], now: Instant) -> Option<(Instant, Instant)> {
    let first = pages.first()?;
    let is_beyond = |end: Instant| end.since(first.first).is_some_and(|span| span > PAGE_SPAN);
    let (mut bytes, mut last) = (0, first.last);
    for (place, page) in pages.iter().enumerate() {
        if place > 0 && is_beyond(page.last) {
            return Some((first.last, last));
        }
        last = page.last;
        // Pages of the first version do not say how large they are.
        bytes += if page.bytes == 0 { ENOUGH } else { page.bytes };
        if bytes >= ENOUGH {
            return Some((first.last, last));
        }
    }
    let is_full = i64::try_from(pages.len()).is_ok_and(|count| count >= PAGES_AT_ONCE);
    (is_full || is_beyond(now)).then_some((first.last, last))
}

/// Merges the lines of pages.
fn merged(
    (account, kind): (&AccountName, &str),
    texts: &[String],
) -> Result<Vec<LogPage>, IamError> {
    let mut lines = Vec::new();
    for text in texts.iter().flat_map(|text| text.lines()) {
        lines.push((serde_json::from_str::<Line>(text)?, text));
    }
    lines.sort_by_key(|(line, _)| line.at);
    let mut pages = Pages::new(account.clone(), kind.to_owned(), WithTerms::All);
    for (line, text) in lines {
        pages.add(line, text);
    }
    Ok(pages.finish())
}
