//! What happened and changed nothing: kept for a while, and lost in a crash for its last second.

use gatewright_policy::Instant;

use crate::row::from_row;

/// Lines that were written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Whose log.
    pub account: String,
    /// What the lines are about.
    pub kind: String,
    /// When the first line happened.
    pub first: Instant,
    /// When the last line happened.
    pub last: Instant,
    /// One JSON object a line, in their order.
    pub lines: String,
}

from_row!(LogPage: account, kind, first as Instant, last as Instant, lines);

/// How often something happened in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCount {
    /// In which account.
    pub account: String,
    /// Which hour, as [`Instant::hours`] counts them.
    pub hour: i64,
    /// What happened.
    pub what: String,
    /// How often.
    pub count: i64,
}

from_row!(HourlyCount: account, hour, what, count);

/// When something was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// In which account.
    pub account: String,
    /// What was used.
    pub subject: String,
    /// When it was last used.
    pub last: Instant,
}

from_row!(LastUsed: account, subject, last as Instant);

/// What is written down at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActivityBatch {
    /// Lines of logs.
    pub pages: Vec<LogPage>,
    /// What is added to the counts.
    pub hourly_counts: Vec<HourlyCount>,
    /// What was used.
    pub last_used: Vec<LastUsed>,
}

impl ActivityBatch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.hourly_counts.is_empty() && self.last_used.is_empty()
    }
}
