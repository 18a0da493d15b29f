//! Rate limits for failed attempts.

use std::time::Duration;

use gatewright_policy::Instant;
use quick_cache::sync::Cache;

/// The number of failures before the first wait.
const FREE: u32 = 5;

/// The longest wait, and the time for which failures are remembered.
const LONGEST: Duration = Duration::from_mins(15);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts failures by key, on this node, and bounded in memory.
pub(crate) struct Throttle {
    failures: Cache<Box<str>, Failures>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { failures: Cache::new(100_000) }
    }

    /// Returns the time until the next attempt of a key is allowed, in whole seconds; none when it
    /// is allowed now.
    pub(crate) fn retry_after(&self, key: &str, now: Instant) -> Option<u64> {
        let Failures { count, last } = self.failures.get(key)?;
        let beyond = count.checked_sub(FREE)?;
        let pause = Duration::from_secs(1 << beyond.min(20)).min(LONGEST);
        let left = last.saturating_add(pause).since(now).filter(|left| !left.is_zero())?;
        Some(left.as_secs() + 1)
    }

    /// Records a failure.
    pub(crate) fn record_failure(&self, key: &str, now: Instant) {
        let before = self.failures.get(key).filter(|one| now < one.last.saturating_add(LONGEST));
        let count = before.map_or(0, |one| one.count).saturating_add(1);
        self.failures.insert(key.into(), Failures { count, last: now });
    }

    /// Resets the failures of a key.
    pub(crate) fn reset(&self, key: &str) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::EPOCH;

    #[test]
    fn who_is_wrong_too_often_waits_longer_each_time_and_is_forgiven() {
        let throttle = Throttle::new();
        for _ in 1..FREE {
            throttle.record_failure("a", START);
            assert_eq!(throttle.retry_after("a", START), None);
        }
        throttle.record_failure("a", START);
        let first = throttle.retry_after("a", START).unwrap();
        throttle.record_failure("a", START);
        let second = throttle.retry_after("a", START).unwrap();
        assert!(second > first, "{first} {second}");
        assert_eq!(
            throttle.retry_after("a", START.saturating_add(Duration::from_secs(second))),
            None
        );
        assert_eq!(throttle.retry_after("b", START), None);
        for _ in 0..100 {
            throttle.record_failure("a", START);
        }
        assert!(throttle.retry_after("a", START).unwrap() <= LONGEST.as_secs() + 1);
        let late = START.saturating_add(LONGEST);
        throttle.record_failure("a", late);
        assert_eq!(throttle.retry_after("a", late), None, "old failures do not count");
        throttle.reset("a");
        assert_eq!(throttle.retry_after("a", late), None);
    }
}
