//! Searches a log for lines: by the terms of its pages, and reads only those pages that may have one.

use std::cmp::Reverse;
use std::time::Duration;

use gatewright_policy::{AccountName, Instant};
use gatewright_store::{Listing, LogSpan, PageListing, Store, Term};

use crate::model::error::IamError;
use crate::model::log::{Line, LogKind, LogLines};

/// The numbers of pages that are listed at once: with their lines, and with their terms.
const LINES_AT_ONCE: i64 = 10;
const TERMS_AT_ONCE: i64 = 1_000;

/// The size of a listing below which the next one is of more pages, in bytes.
const SMALL_LISTING: usize = 256 * 1024;
const MOST_AT_ONCE: i64 = 1_000;

/// The maximum numbers of pages that a request reads one by one and, about, of lines; the next
/// request goes on from there. A page has some hundred lines, one of an older version ten thousand.
const MOST_PAGES: usize = 1_000;
const MOST_LINES: usize = 100_000;

/// The maximum size of the terms that a request looks through, in bytes: about those of 20 million
/// lines.
const MOST_LISTED: usize = 128 * 1024 * 1024;

/// A search of a log.
pub(super) struct Search<'s> {
    pub(super) store: &'s Store,
    pub(super) account: &'s AccountName,
    pub(super) kind: LogKind,
    /// The first instant.
    pub(super) from: Instant,
    /// Terms that each line has; where there are none, all pages are read.
    pub(super) terms: Vec<Term>,
    /// The condition that lines meet.
    pub(super) fits: &'s (dyn Fn(&Line) -> bool + Send + Sync),
    /// The maximum number of lines.
    pub(super) most: usize,
}

/// The lines that a search has found, and the amount that it has read.
#[derive(Default)]
struct SearchProgress {
    found: Vec<Line>,
    pages: usize,
    lines: usize,
    listed: usize,
}

/// The end of reading the pages of a listing.
enum End {
    /// All are read.
    Whole,
    /// There are enough lines, or enough was read: the search goes on before an instant.
    Enough(Instant),
    /// A page was merged with others: they are listed anew.
    Changed,
}

/// Returns the next instant.
fn after(instant: Instant) -> Instant {
    instant.saturating_add(Duration::from_micros(1))
}

impl Search<'_> {
    /// Returns the latest lines before an instant, the last first, and where the next search goes on.
    pub(super) async fn run(&self, mut before: Instant) -> Result<LogLines, IamError> {
        let listing = if self.terms.is_empty() { Listing::Lines } else { Listing::Terms };
        let mut at_once = if self.terms.is_empty() { LINES_AT_ONCE } else { TERMS_AT_ONCE };
        let mut progress = SearchProgress::default();
        loop {
            let (account, kind) = (self.account, self.kind.as_str());
            let span = LogSpan { account, kind, from: self.from, before };
            let mut pages = self.store.log_pages(span, listing, at_once).await?;
            let size: usize = pages.iter().map(PageListing::size).sum();
            progress.listed += size;
            let is_all = i64::try_from(pages.len()).is_ok_and(|count| count < at_once);
            // Pages that end at the same instant as the last may be missing: it is listed again.
            let next = pages.last().filter(|_| !is_all).map(|page| after(page.last));
            if next.is_some_and(|next| next >= before) {
                at_once = at_once.saturating_mul(2);
                continue;
            }
            let next = next.unwrap_or(Instant::MIN);
            pages.retain(|page| page.last >= next);
            match self.read(pages, next..before, &mut progress).await? {
                End::Changed => continue,
                End::Whole if is_all => return Ok(self.lines(progress, None)),
                End::Whole => before = next,
                End::Enough(older) => return Ok(self.lines(progress, Some(older))),
            }
            if self.is_enough(&progress, progress.found.len()) {
                return Ok(self.lines(progress, Some(before)));
            }
            if size < SMALL_LISTING {
                at_once = at_once.saturating_mul(2).min(MOST_AT_ONCE.max(at_once));
            }
        }
    }

    fn is_enough(&self, progress: &SearchProgress, found: usize) -> bool {
        found >= self.most
            || progress.pages >= MOST_PAGES
            || progress.lines >= MOST_LINES
            || progress.listed >= MOST_LISTED
    }

    /// Reads the lines of a span of time from the pages that have it, in their order.
    async fn read(
        &self,
        pages: Vec<PageListing>,
        span: std::ops::Range<Instant>,
        progress: &mut SearchProgress,
    ) -> Result<End, IamError> {
        let mut held = Vec::new();
        let mut end = End::Whole;
        let mut pages = pages.into_iter().peekable();
        while let Some(mut page) = pages.next() {
            if !page.may_have(&self.terms) {
                continue;
            }
            let lines = if let Some(lines) = page.lines.take() {
                vec![lines]
            } else {
                progress.pages += 1;
                let log = (self.account, self.kind.as_str());
                self.store.log_lines(log, &page).await?
            };
            if lines.is_empty() && !page.has_terms() {
                return Ok(End::Changed);
            }
            for text in lines.iter().flat_map(|lines| lines.lines()) {
                progress.lines += 1;
                let line: Line = serde_json::from_str(text)?;
                if span.contains(&line.at) && line.at >= self.from && (self.fits)(&line) {
                    held.push(line);
                }
            }
            // The lines after the end of the next page are complete.
            let Some(complete) = pages.peek().map(|next| after(next.last)) else { break };
            let found = held.iter().filter(|line| line.at >= complete).count();
            if complete < span.end && self.is_enough(progress, progress.found.len() + found) {
                held.retain(|line| line.at >= complete);
                end = End::Enough(complete);
                break;
            }
        }
        held.sort_by_key(|line| Reverse(line.at));
        held.dedup();
        progress.found.append(&mut held);
        Ok(end)
    }

    /// Returns the lines that were found, not more than were wanted.
    fn lines(&self, progress: SearchProgress, older: Option<Instant>) -> LogLines {
        let mut lines = progress.found;
        if lines.len() <= self.most {
            return LogLines { lines, older };
        }
        lines.truncate(self.most);
        let older = lines.last().map(|line| line.at);
        LogLines { lines, older }
    }
}

#[cfg(test)]
mod tests;
