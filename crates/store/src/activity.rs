//! Activity: what happens without a change. It is stored for some days, and a crash loses the last
//! second of it.

use gatewright_policy::Instant;

use crate::row::from_row;

/// Lines that were written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The account whose log it is.
    pub account: String,
    /// The kind of the lines: tokens, decisions or calls.
    pub kind: String,
    /// When the first line happened.
    pub first: Instant,
    /// When the last line happened.
    pub last: Instant,
    /// One JSON object a line, in their order.
    pub lines: String,
}

from_row!(LogPage: account, kind, first as Instant, last as Instant, lines);

/// Counts how often something happened in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCount {
    /// The account.
    pub account: String,
    /// The hour, as [`Instant::hours`] counts them.
    pub hour: i64,
    /// The name of the counter.
    pub what: String,
    /// The count.
    pub count: i64,
}

from_row!(HourlyCount: account, hour, what, count);

/// Records when something was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// The account.
    pub account: String,
    /// The subject that was used.
    pub subject: String,
    /// When it was last used.
    pub last: Instant,
}

from_row!(LastUsed: account, subject, last as Instant);

/// A batch of activity, written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActivityBatch {
    /// Lines of logs.
    pub pages: Vec<LogPage>,
    /// Increments of the counts.
    pub hourly_counts: Vec<HourlyCount>,
    /// Last uses.
    pub last_used: Vec<LastUsed>,
}

impl ActivityBatch {
    /// Tells whether the batch is empty.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.hourly_counts.is_empty() && self.last_used.is_empty()
    }
}
