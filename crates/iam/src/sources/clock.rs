//! Clocks: that of the machine, or one that a test sets.

use std::time::Duration;

use gatewright_policy::Instant;

/// A clock.
pub trait Clock: Send + Sync {
    /// Returns the current time. It may jump, or be put back.
    fn now(&self) -> Instant;

    /// Returns the time since some fixed moment; unlike the time of day it is never set back, so it
    /// measures how long something takes or lasts.
    fn monotonic(&self) -> Duration;
}

/// The clock of the machine.
pub(super) struct SystemClock {
    #[cfg(target_os = "linux")]
    started: Duration,
    #[cfg(not(target_os = "linux"))]
    started: std::time::Instant,
}

/// Returns the time since the machine has started, with the time for which it was suspended.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    // Neither is ever negative, nor are there as many nanoseconds as make a second.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(u32::MAX))
}

impl SystemClock {
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> Self {
        Self { started: since_boot() }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    pub(super) fn new() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    fn now(&self) -> Instant {
        Instant::from_micros(jiff::Timestamp::now().as_microsecond())
    }

    #[cfg(target_os = "linux")]
    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.started)
    }

    #[cfg(not(target_os = "linux"))]
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
