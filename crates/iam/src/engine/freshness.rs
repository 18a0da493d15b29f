//! Freshness: the delay with which a node hears of changes, and that of each view.
//!
//! Invariants:
//! - A heartbeat counts from when it was sent: all changes committed before that were heard.
//! - A view that lacks a change which a notice named is trusted for a moment only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatewright_policy::Revision;

/// Maximum age of the last heartbeat, after which a node does not trust its memory.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(1);

/// Maximum time for which a view may lack a change that a notice named.
const BEHIND_FOR: Duration = Duration::from_millis(50);

/// Stands for no time.
pub(crate) const NEVER: u64 = u64::MAX;

/// The time since a node has started, in microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(NEVER - 1)
}

/// The age of what a node has heard.
pub(crate) struct Freshness {
    /// The time at which the last heartbeat that was heard was sent.
    heartbeat: AtomicU64,
}

impl Freshness {
    /// Creates a node that has heard nothing yet.
    pub(crate) fn new() -> Self {
        Self { heartbeat: AtomicU64::new(NEVER) }
    }

    /// Records that a heartbeat was heard, which was sent at `sent`.
    pub(crate) fn record_heartbeat(&self, sent: u64) {
        self.heartbeat.store(sent, Ordering::Release);
    }

    /// Records that notices may have been lost: memory is stale until the next heartbeat. Returns
    /// whether a heartbeat was heard since the last time.
    pub(crate) fn lose(&self) -> bool {
        self.heartbeat.swap(NEVER, Ordering::AcqRel) != NEVER
    }

    /// Returns the time since the last heartbeat was sent; none where there is none.
    pub(crate) fn age(&self, now: u64) -> Option<Duration> {
        let heartbeat = self.heartbeat.load(Ordering::Acquire);
        (heartbeat != NEVER).then(|| Duration::from_micros(now.saturating_sub(heartbeat)))
    }

    pub(crate) fn is_stale(&self, now: u64) -> bool {
        self.age(now).is_none_or(|age| age > STALE_AFTER)
    }
}

/// The delay of a view behind the notices of changes of its account.
pub(crate) struct Lag {
    /// The last revision that a notice named, and when it was heard. It is held while `since`
    /// changes.
    noticed: Mutex<(Revision, u64)>,
    /// Since when the view lacks it; [`NEVER`] when it does not.
    since: AtomicU64,
}

/// The state of a view after its renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewProgress {
    /// The view has all changes that notices named.
    Current,
    /// The view lacks a change that a notice named.
    Behind,
    /// The database lacks a change that a notice named before it was read.
    Lost,
}

impl Default for Lag {
    fn default() -> Self {
        Self { noticed: Mutex::default(), since: AtomicU64::new(NEVER) }
    }
}

impl Lag {
    /// Records a notice of a revision; `reached` is that of the view.
    pub(crate) fn notice(&self, revision: Revision, reached: Option<Revision>, now: u64) {
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if revision > noticed.0 {
            *noticed = (revision, now);
        }
        let is_behind = reached.is_none_or(|reached| reached < noticed.0);
        if is_behind && self.since.load(Ordering::Relaxed) == NEVER {
            self.since.store(now, Ordering::Release);
        }
    }

    /// Returns whether a notice has named the revision, or a later one.
    pub(crate) fn has_noticed(&self, revision: Revision) -> bool {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner).0 >= revision
    }

    /// Records that a view of a revision was published. `began` is when its journal was begun to be
    /// read, if it was read to its end: it has what was noticed before.
    pub(crate) fn reach(&self, revision: Revision, began: Option<u64>) -> ViewProgress {
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if revision >= noticed.0 {
            self.since.store(NEVER, Ordering::Release);
            return ViewProgress::Current;
        }
        let Some(began) = began else { return ViewProgress::Behind };
        if noticed.1 < began {
            return ViewProgress::Lost;
        }
        self.since.store(began, Ordering::Release);
        ViewProgress::Behind
    }

    /// Returns whether the view has been behind for too long to be trusted.
    pub(crate) fn is_too_long(&self, now: u64) -> bool {
        let since = self.since.load(Ordering::Acquire);
        since != NEVER && u128::from(now.saturating_sub(since)) > BEHIND_FOR.as_micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: u64 = 10_000;
    const LONG: u64 = 60_000;

    fn at(number: i64) -> Revision {
        Revision::new(number)
    }

    #[test]
    fn a_heartbeat_counts_from_when_it_was_sent() {
        let freshness = Freshness::new();
        assert!(freshness.is_stale(0));
        freshness.record_heartbeat(5);
        assert!(!freshness.is_stale(1_000_005));
        assert!(freshness.is_stale(1_000_006));
        assert!(freshness.lose());
        assert!(!freshness.lose());
        assert!(freshness.is_stale(5));
    }

    #[test]
    fn a_view_is_trusted_for_a_moment_after_a_notice_that_it_lacks() {
        let lag = Lag::default();
        lag.notice(at(3), Some(at(3)), 0);
        assert!(!lag.is_too_long(LONG));
        lag.notice(at(4), Some(at(3)), 0);
        assert!(!lag.is_too_long(MOMENT));
        // A later notice does not make it current.
        lag.notice(at(5), Some(at(3)), MOMENT);
        assert!(lag.is_too_long(LONG));
        assert_eq!(lag.reach(at(4), None), ViewProgress::Behind);
        assert!(lag.is_too_long(LONG), "what was not read to the end is no newer");
        lag.notice(at(6), Some(at(4)), LONG);
        assert_eq!(lag.reach(at(5), Some(LONG - MOMENT)), ViewProgress::Behind);
        assert!(!lag.is_too_long(LONG));
        assert!(lag.is_too_long(2 * LONG));
        assert_eq!(lag.reach(at(6), Some(LONG)), ViewProgress::Current);
        assert!(!lag.is_too_long(2 * LONG));
    }

    #[test]
    fn a_notice_that_comes_before_the_view_is_not_lost() {
        let lag = Lag::default();
        lag.notice(at(2), None, 0);
        assert_eq!(lag.reach(at(1), Some(0)), ViewProgress::Behind);
        assert_eq!(lag.reach(at(1), Some(1)), ViewProgress::Lost);
        assert!(lag.is_too_long(LONG));
    }
}
