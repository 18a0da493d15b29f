//! Activity: events that change nothing. It is stored for some days; a crash loses the last second
//! of it.

use gatewright_policy::{AccountName, Instant};

use crate::log::LogPage;
use crate::row::from_row;

/// The number of occurrences of an event in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCount {
    /// The account.
    pub account: AccountName,
    /// The hour, as [`Instant::hours`] counts them.
    pub hour: i64,
    /// The name of the counter.
    pub what: String,
    /// The count.
    pub count: i64,
}

from_row!(HourlyCount: account as AccountName, hour, what, count);

/// The time of the last use of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// The account.
    pub account: AccountName,
    /// The subject that was used.
    pub subject: String,
    /// The time of the last use.
    pub last: Instant,
}

from_row!(LastUsed: account as AccountName, subject, last as Instant);

/// A batch of activity, written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActivityBatch {
    /// Lines of logs.
    pub pages: Vec<LogPage>,
    /// Increments of the counts.
    pub hourly_counts: Vec<HourlyCount>,
    /// Times of last use.
    pub last_used: Vec<LastUsed>,
}

impl ActivityBatch {
    /// Returns whether the batch is empty.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.hourly_counts.is_empty() && self.last_used.is_empty()
    }
}
