//! How often somebody may be wrong before they must wait.

use quick_cache::sync::Cache;

/// So many failures cost nothing.
const FREE: u32 = 5;

/// The longest wait, and how long failures are remembered, in microseconds.
const LONGEST: i64 = 900 * SECOND;

const SECOND: i64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

/// Counts failures by who or what failed, on this node, and bounded in memory.
pub(crate) struct Throttle {
    failures: Cache<Box<str>, Failures>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { failures: Cache::new(100_000) }
    }

    /// How many whole seconds whoever has that key must still wait; none when they may try.
    pub(crate) fn wait(&self, key: &str, now: i64) -> Option<i64> {
        let Failures { count, last } = self.failures.get(key)?;
        let beyond = count.checked_sub(FREE)?;
        let pause = SECOND.checked_shl(beyond.min(20)).unwrap_or(LONGEST).min(LONGEST);
        let left = last.saturating_add(pause).saturating_sub(now);
        (left > 0).then(|| left.div_euclid(SECOND) + 1)
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, key: &str, now: i64) {
        let before = self.failures.get(key).filter(|one| now - one.last < LONGEST);
        let count = before.map_or(0, |one| one.count).saturating_add(1);
        self.failures.insert(key.into(), Failures { count, last: now });
    }

    /// Forgets the failures.
    pub(crate) fn succeeded(&self, key: &str) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_wrong_too_often_waits_longer_each_time_and_is_forgiven() {
        let throttle = Throttle::new();
        for _ in 1..FREE {
            throttle.failed("a", 0);
            assert_eq!(throttle.wait("a", 0), None);
        }
        throttle.failed("a", 0);
        let first = throttle.wait("a", 0).unwrap();
        throttle.failed("a", 0);
        let second = throttle.wait("a", 0).unwrap();
        assert!(second > first, "{first} {second}");
        assert_eq!(throttle.wait("a", second * SECOND), None);
        assert_eq!(throttle.wait("b", 0), None);
        for _ in 0..100 {
            throttle.failed("a", 0);
        }
        assert!(throttle.wait("a", 0).unwrap() <= LONGEST / SECOND + 1);
        throttle.failed("a", LONGEST);
        assert_eq!(throttle.wait("a", LONGEST), None, "old failures do not count");
        throttle.succeeded("a");
        assert_eq!(throttle.wait("a", LONGEST), None);
    }
}
