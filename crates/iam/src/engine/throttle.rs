//! Counts failed attempts by key, and makes those who fail often wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright_policy::Instant;
use quick_cache::sync::Cache;

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);

/// The number of keys of which failures are remembered.
const KEYS: usize = 100_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// The time of the last failure, put forward whenever an older one is forgotten.
    last: Instant,
}

/// Counts failures by key, on this node, and bounded in memory. After some that are free, each makes
/// the next attempt wait twice as long.
pub(crate) struct Throttle {
    failures: Cache<String, Arc<Mutex<Failures>>>,
    /// The number of failures before the first wait.
    free: u32,
    /// The time after which one failure is forgotten.
    forgotten: Duration,
}

impl Throttle {
    pub(crate) fn new(free: u32, forgotten: Duration) -> Self {
        Self { failures: Cache::new(KEYS), free, forgotten }
    }

    /// Begins an attempt, which counts as a failure until it is forgiven or reset; so attempts that
    /// run at the same time are limited as well. Fails with the seconds until the next attempt is
    /// allowed.
    pub(crate) fn attempt(&self, key: &str, now: Instant) -> Result<(), u64> {
        let new = || {
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Failures {
                count: 0,
                last: now,
            })))
        };
        let failures = match self.failures.get_or_insert_with(key, new) {
            Ok(failures) => failures,
            Err(never) => match never {},
        };
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.forget(self.forgotten, now);
        if let Some(beyond) = failures.count.checked_sub(self.free) {
            let pause = Duration::from_secs(1 << beyond.min(20)).min(LONGEST);
            let left = failures.last.saturating_add(pause).since(now);
            if let Some(left) = left.filter(|left| !left.is_zero()) {
                return Err(left.as_secs() + 1);
            }
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        Ok(())
    }

    /// Takes back the failure that an attempt was counted as; earlier ones stay.
    pub(crate) fn forgive(&self, key: &str) {
        if let Some(failures) = self.failures.get(key) {
            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// Resets the failures of a key.
    pub(crate) fn reset(&self, key: &str) {
        self.failures.remove(key);
    }
}

impl Failures {
    /// Forgets one failure for each span of time without one.
    fn forget(&mut self, after: Duration, now: Instant) {
        while self.count > 0 && self.last.saturating_add(after) <= now {
            self.count -= 1;
            self.last = self.last.saturating_add(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::EPOCH;
    const FORGOTTEN: Duration = Duration::from_mins(20);

    fn after(seconds: u64) -> Instant {
        START.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn who_is_wrong_too_often_waits_longer_each_time_and_is_forgiven() {
        let throttle = Throttle::new(5, FORGOTTEN);
        for _ in 0..5 {
            throttle.attempt("a", START).unwrap();
        }
        let first = throttle.attempt("a", START).unwrap_err();
        throttle.attempt("a", after(first)).unwrap();
        let second = throttle.attempt("a", after(first)).unwrap_err();
        assert!(second > first, "{first} {second}");
        throttle.attempt("b", START).unwrap();
        let mut now = after(first);
        for _ in 0..30 {
            let wait = throttle.attempt("a", now).err().unwrap_or_default();
            assert!(wait <= LONGEST.as_secs() + 1, "{wait}");
            now = now.saturating_add(Duration::from_secs(wait));
        }
        throttle.reset("a");
        for _ in 0..5 {
            throttle.attempt("a", now).unwrap();
        }
        throttle.attempt("a", now).unwrap_err();
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let throttle = Throttle::new(2, FORGOTTEN);
        throttle.attempt("a", START).unwrap();
        throttle.attempt("a", START).unwrap();
        let late = START.saturating_add(FORGOTTEN);
        throttle.attempt("a", late).unwrap();
        throttle.attempt("a", late).unwrap_err();
    }

    #[test]
    fn an_attempt_that_succeeds_takes_back_its_own_failure_only() {
        let throttle = Throttle::new(2, FORGOTTEN);
        throttle.attempt("a", START).unwrap();
        for _ in 0..5 {
            throttle.attempt("a", START).unwrap();
            throttle.forgive("a");
        }
        throttle.attempt("a", START).unwrap();
        throttle.attempt("a", START).unwrap_err();
    }
}
