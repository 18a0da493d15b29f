//! Counts failed attempts by key, and makes those who fail often wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

/// The number of keys of which failures are remembered.
pub(crate) const KEYS: usize = 100_000;

/// The key of a count: a keyed hash, so that a long text takes no more memory than a short one.
pub(crate) type ThrottleKey = [u64; 2];

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// The time of the last failure, put forward whenever an older one is forgotten.
    last: Duration,
    /// The time of the failure before it, to which a forgiven one goes back.
    before: Duration,
}

/// Counts failures by key, on this node, and bounded in memory. After some that are free, each makes
/// the next attempt wait twice as long. Times are those of the monotonic clock: whoever sets the other
/// one neither shortens a wait nor prolongs it.
pub(crate) struct Throttle {
    failures: Cache<ThrottleKey, Arc<Mutex<Failures>>>,
    /// The number of failures before the first wait.
    free: u32,
    /// The time after which one failure is forgotten.
    forgotten: Duration,
    /// The longest wait.
    longest: Duration,
}

impl Throttle {
    pub(crate) fn new(free: u32, forgotten: Duration, longest: Duration) -> Self {
        Self { failures: Cache::new(KEYS), free, forgotten, longest }
    }

    /// Begins an attempt, which counts as a failure until it is forgiven or reset; so attempts that
    /// run at the same time are limited as well. Fails with the seconds until the next attempt is
    /// allowed.
    pub(crate) fn attempt(&self, key: ThrottleKey, now: Duration) -> Result<(), u64> {
        let none = Failures { count: 0, last: now, before: now };
        let new = || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(none)));
        let failures = match self.failures.get_or_insert_with(&key, new) {
            Ok(failures) => failures,
            Err(never) => match never {},
        };
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.forget(self.forgotten, now);
        if let Some(beyond) = failures.count.checked_sub(self.free) {
            let pause = Duration::from_secs(1 << beyond.min(20)).min(self.longest);
            let left = failures.last.saturating_add(pause).saturating_sub(now);
            if !left.is_zero() {
                return Err(left.as_secs() + 1);
            }
        }
        let before = failures.last;
        *failures = Failures { count: failures.count.saturating_add(1), last: now, before };
        Ok(())
    }

    /// Takes back the failure that an attempt was counted as; earlier ones stay.
    pub(crate) fn forgive(&self, key: ThrottleKey) {
        if let Some(failures) = self.failures.get(&key) {
            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.count = failures.count.saturating_sub(1);
            failures.last = failures.before;
        }
    }

    /// Resets the failures of a key.
    pub(crate) fn reset(&self, key: ThrottleKey) {
        self.failures.remove(&key);
    }
}

impl Failures {
    /// Forgets one failure for each span of time without one.
    fn forget(&mut self, after: Duration, now: Duration) {
        while self.count > 0 && self.last.saturating_add(after) <= now {
            self.count -= 1;
            self.last = self.last.saturating_add(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;
    const FORGOTTEN: Duration = Duration::from_mins(20);
    const LONGEST: Duration = Duration::from_mins(15);
    const A: ThrottleKey = [0, 1];
    const B: ThrottleKey = [0, 2];

    fn after(seconds: u64) -> Duration {
        START.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn who_is_wrong_too_often_waits_longer_each_time_and_is_forgiven() {
        let throttle = Throttle::new(5, FORGOTTEN, LONGEST);
        for _ in 0..5 {
            throttle.attempt(A, START).unwrap();
        }
        let first = throttle.attempt(A, START).unwrap_err();
        throttle.attempt(A, after(first)).unwrap();
        let second = throttle.attempt(A, after(first)).unwrap_err();
        assert!(second > first, "{first} {second}");
        throttle.attempt(B, START).unwrap();
        let mut now = after(first);
        for _ in 0..30 {
            let wait = throttle.attempt(A, now).err().unwrap_or_default();
            assert!(wait <= LONGEST.as_secs() + 1, "{wait}");
            now = now.saturating_add(Duration::from_secs(wait));
        }
        throttle.reset(A);
        for _ in 0..5 {
            throttle.attempt(A, now).unwrap();
        }
        throttle.attempt(A, now).unwrap_err();
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let throttle = Throttle::new(2, FORGOTTEN, LONGEST);
        throttle.attempt(A, START).unwrap();
        throttle.attempt(A, START).unwrap();
        let late = START.saturating_add(FORGOTTEN);
        throttle.attempt(A, late).unwrap();
        throttle.attempt(A, late).unwrap_err();
    }

    #[test]
    fn an_attempt_that_succeeds_takes_back_its_own_failure_only() {
        let throttle = Throttle::new(2, FORGOTTEN, LONGEST);
        throttle.attempt(A, START).unwrap();
        for second in 0..5 {
            throttle.attempt(A, after(second)).unwrap();
            throttle.forgive(A);
        }
        throttle.attempt(A, after(5)).unwrap();
        // The wait begins at the last failure that was not forgiven.
        assert_eq!(throttle.attempt(A, after(5)).unwrap_err(), 2);
    }
}
