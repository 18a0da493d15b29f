//! Logs: pages of lines, and how pages are listed.

use std::time::Duration;

use gatewright_policy::{AccountName, Instant};

use crate::row::from_row;
use crate::term_filter::{Term, TermFilter};

/// The longest time between the first and the last line of a page. Pages that reach across an
/// instant are looked for no further than that.
pub const PAGE_SPAN: Duration = Duration::from_hours(1);

/// A batch of log lines that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The account of the log.
    pub account: AccountName,
    /// The kind of log: tokens, decisions or calls.
    pub kind: String,
    /// The time of the first line.
    pub first: Instant,
    /// The time of the last line, at most [`PAGE_SPAN`] later.
    pub last: Instant,
    /// The lines in order, each a JSON object.
    pub lines: String,
    /// The terms of all lines. A page without them is read whenever a line is looked for.
    pub terms: Option<TermFilter>,
}

/// A log, or a part of it that was deleted, with its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSize {
    /// The account of the log.
    pub account: AccountName,
    /// The kind of log.
    pub kind: String,
    /// The size, in bytes.
    pub bytes: i64,
}

from_row!(LogSize: account as AccountName, kind, bytes);

/// The extent of a page that can be merged with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeablePage {
    /// The time of the first line.
    pub first: Instant,
    /// The time of the last line.
    pub last: Instant,
    /// The size, in bytes; 0 for a page of the first version, which did not count it.
    pub bytes: i64,
}

from_row!(MergeablePage: first as Instant, last as Instant, bytes);

/// A span of time in a log.
#[derive(Debug, Clone, Copy)]
pub struct LogSpan<'a> {
    /// The account of the log.
    pub account: &'a AccountName,
    /// The kind of log.
    pub kind: &'a str,
    /// The first instant of the span.
    pub from: Instant,
    /// The first instant after the span.
    pub before: Instant,
}

/// The part of each page that a listing reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Its lines.
    Lines,
    /// Its terms, or its lines where it is small and has no terms.
    Terms,
}

/// A page as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageListing {
    /// The time of the first line.
    pub first: Instant,
    /// The time of the last line.
    pub last: Instant,
    /// The terms of all lines, where the listing shows them and the page has some.
    terms: Option<Vec<u8>>,
    /// The lines, where the listing shows them.
    pub lines: Option<String>,
}

from_row!(PageListing: first as Instant, last as Instant, terms, lines);

impl PageListing {
    /// Checks whether a line of the page may have all of some terms.
    pub fn may_have(&self, terms: &[Term]) -> bool {
        let Some(filter) = &self.terms else { return true };
        terms.iter().all(|term| TermFilter::may_have_in(filter, *term))
    }

    /// Checks whether the listing shows the terms of the page.
    pub fn has_terms(&self) -> bool {
        self.terms.is_some()
    }

    /// Returns the number of bytes of the listing.
    pub fn size(&self) -> usize {
        let terms = self.terms.as_ref().map_or(0, Vec::len);
        terms + self.lines.as_ref().map_or(0, String::len)
    }
}
