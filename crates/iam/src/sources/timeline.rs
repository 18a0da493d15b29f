//! Derives the time of a process from the wall clock, which may be wrong, jump ahead or be put back, and the
//! monotonic clock, which nobody sets.
//!
//! Invariants:
//! - The time never falls below the *trusted line*: the time by the monotonic clock, counted from a
//!   reading of the wall clock that was not doubted. So what has expired stays expired when the wall clock is
//!   put back: the line is slewed instead, until the wall clock has caught up.
//! - A clock that jumps ahead counts at once, so nothing outlives its expiry; but the line follows only
//!   once the clock has stayed ahead for [`TRUSTED_AFTER`]. If it goes back before, the time does so too.
//! - Nothing is deleted for its age but by [`Timeline::settled`], which has no time while the clock is in
//!   doubt: after the start, and after each jump, for [`TRUSTED_AFTER`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gatewright_policy::Instant;

use super::clock::Clock;
use crate::model::skew::CLOCK_SKEW;
use crate::model::token::LIFETIME;

/// The difference between the clock and the monotonic one that counts as a jump, in microseconds.
const JUMP: i64 = 2_000_000;

/// The time that a clock is watched before it is trusted: longer than any access token lives.
pub(crate) const TRUSTED_AFTER: Duration = LIFETIME.saturating_add(CLOCK_SKEW);

/// The time between two looks at the clock, in microseconds.
const WATCH_EVERY: u64 = 1_000_000;

/// The part of the passing time by which the line is slowed down where the clock is behind it.
const SLEW_DIVISOR: i64 = 10;

/// The longest that a look at both clocks may take to be of use, in microseconds.
const LONGEST_LOOK: i64 = 100_000;

/// The warning that the clock is behind the time of the process.
const PUT_BACK: &str = "the clock was put back, and the time of this server was not: if the clock is right now, restart \
     the server";

/// The time of a process.
pub(super) struct Timeline {
    clock: Arc<dyn Clock>,
    /// The trusted line.
    line: ArcSwap<TrustedLine>,
    /// The next look at the clock, in microseconds of the monotonic one.
    next_look: AtomicU64,
    watch: Mutex<Watch>,
}

/// The pace of the trusted line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// That of the monotonic clock.
    Normal,
    /// A little slower, while the wall clock is behind.
    Slewed,
}

/// The trusted line from a time of the monotonic clock on, in microseconds. It continues the one before.
#[derive(Clone, Copy)]
struct TrustedLine {
    from: i64,
    time: i64,
    pace: Pace,
}

impl TrustedLine {
    /// Returns the time at one of the monotonic clock.
    fn at(self, monotonic: i64) -> i64 {
        let passed = monotonic.saturating_sub(self.from);
        let slewed = if self.pace == Pace::Slewed { passed / SLEW_DIVISOR } else { 0 };
        self.time.saturating_add(passed - slewed)
    }
}

/// The observations of the clock, in microseconds. An offset is the difference of the clock from the
/// monotonic one.
struct Watch {
    /// The time of the last look, by the monotonic clock.
    looked: i64,
    /// The offset at the last jump.
    offset: i64,
    /// The time of the last jump, or of the start, by the monotonic clock.
    undisturbed_since: i64,
    /// The time since when the clock has been ahead of the line, by the monotonic clock, and by how much
    /// at least.
    ahead: Option<(i64, i64)>,
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

impl Timeline {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let looked = micros(clock.monotonic());
        let time = clock.now().micros();
        let offset = time.saturating_sub(looked);
        let watch = Watch { looked, offset, undisturbed_since: looked, ahead: None };
        let next_look = AtomicU64::new(looked.unsigned_abs().saturating_add(WATCH_EVERY));
        let line = ArcSwap::from_pointee(TrustedLine { from: looked, time, pace: Pace::Normal });
        Self { clock, line, next_look, watch: Mutex::new(watch) }
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Returns the current time, for all that expires: the latest that is possible.
    pub(super) fn now(&self) -> Instant {
        let (shown, on_line) = self.read();
        shown.max(on_line)
    }

    /// Returns the earliest time that is possible, for what must not be taken for old too early.
    pub(super) fn earliest(&self) -> Instant {
        let (shown, on_line) = self.read();
        shown.min(on_line)
    }

    /// Returns the time by which things may be deleted for their age; none while the clock is in doubt.
    pub(super) fn settled(&self) -> Option<Instant> {
        let watch = self.look();
        let passed = watch.looked.saturating_sub(watch.undisturbed_since);
        let is_trusted = passed >= micros(TRUSTED_AFTER);
        drop(watch);
        is_trusted.then(|| self.earliest())
    }

    /// Reads the clock and the trusted line. Nothing is written but once a second.
    fn read(&self) -> (Instant, Instant) {
        let monotonic = micros(self.clock.monotonic());
        if monotonic.unsigned_abs() >= self.next_look.load(Ordering::Relaxed) {
            drop(self.look());
        }
        let on_line = self.line.load().at(monotonic);
        (self.clock.now(), Instant::from_micros(on_line))
    }

    /// Looks at the clock, and notices where it has jumped.
    fn look(&self) -> MutexGuard<'_, Watch> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let began = micros(self.clock.monotonic());
        let shown = self.clock.now().micros();
        let monotonic = micros(self.clock.monotonic());
        // A thread that was halted between the two has seen nothing.
        if monotonic.saturating_sub(began) < LONGEST_LOOK && monotonic >= watch.looked {
            let line = watch.observe(monotonic, shown, **self.line.load());
            self.line.store(Arc::new(line));
            let next = monotonic.unsigned_abs().saturating_add(WATCH_EVERY);
            self.next_look.store(next, Ordering::Relaxed);
        }
        watch
    }
}

impl Watch {
    /// Takes note of what the clock shows; returns the line from then on.
    fn observe(&mut self, monotonic: i64, shown: i64, line: TrustedLine) -> TrustedLine {
        let passed = monotonic.saturating_sub(self.looked);
        self.looked = monotonic;
        let (time, offset) = (line.at(monotonic), shown.saturating_sub(monotonic));
        let (jumped, beyond) = (offset.saturating_sub(self.offset), shown.saturating_sub(time));
        if jumped.saturating_abs() > JUMP {
            report(jumped, beyond);
            self.offset = offset;
            self.undisturbed_since = monotonic;
        }
        if beyond <= 0 {
            self.ahead = None;
            return TrustedLine {
                from: monotonic,
                time,
                pace: if beyond < 0 { Pace::Slewed } else { Pace::Normal },
            };
        }
        if line.pace == Pace::Slewed && beyond <= JUMP + passed / SLEW_DIVISOR {
            // It has caught up.
            self.ahead = None;
            return TrustedLine { from: monotonic, time: shown, pace: Pace::Normal };
        }
        let (since, least) = self.ahead.unwrap_or((monotonic, offset));
        let least = least.min(offset);
        if monotonic.saturating_sub(since) < micros(TRUSTED_AFTER) {
            self.ahead = Some((since, least));
            return TrustedLine { from: monotonic, time, pace: Pace::Normal };
        }
        self.ahead = None;
        TrustedLine { from: monotonic, time: monotonic.saturating_add(least), pace: Pace::Normal }
    }
}

/// Tells the operator of a jump, and by how much the clock is now beyond the line, in microseconds.
fn report(jumped: i64, beyond: i64) {
    let direction = if jumped > 0 { "ahead" } else { "back" };
    metrics::counter!("gatewright_clock_jumps_total", "direction" => direction).increment(1);
    let (seconds, behind) = (jumped / 1_000_000, -beyond / 1_000_000);
    if behind > 0 {
        tracing::warn!(seconds, behind, "{PUT_BACK}");
    } else {
        tracing::warn!(seconds, "the clock jumped");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    /// Two clocks, which a test sets.
    #[derive(Default)]
    struct TwoClocks {
        shown: AtomicI64,
        monotonic: AtomicI64,
    }

    impl Clock for TwoClocks {
        fn now(&self) -> Instant {
            Instant::from_micros(self.shown.load(Relaxed))
        }

        fn monotonic(&self) -> Duration {
            Duration::from_micros(self.monotonic.load(Relaxed).unsigned_abs())
        }
    }

    impl TwoClocks {
        fn pass(&self, micros: i64) {
            self.monotonic.fetch_add(micros, Relaxed);
            self.jump(micros);
        }

        fn jump(&self, micros: i64) {
            self.shown.fetch_add(micros, Relaxed);
        }
    }

    fn started() -> (Arc<TwoClocks>, Timeline) {
        let clock = Arc::new(TwoClocks::default());
        clock.pass(1_000 * HOUR);
        let timeline = Timeline::new(Arc::clone(&clock) as Arc<dyn Clock>);
        (clock, timeline)
    }

    fn trusted() -> (Arc<TwoClocks>, Timeline) {
        let (clock, timeline) = started();
        clock.pass(2 * HOUR);
        assert_eq!(timeline.settled(), Some(clock.now()));
        (clock, timeline)
    }

    #[test]
    fn nothing_is_old_enough_to_delete_before_the_clock_was_watched() {
        let (clock, timeline) = started();
        assert_eq!(timeline.settled(), None);
        clock.pass(micros(TRUSTED_AFTER) - 1);
        assert_eq!(timeline.settled(), None);
        clock.pass(1);
        assert_eq!(timeline.settled(), Some(clock.now()));
    }

    #[test]
    fn a_jump_ahead_counts_for_what_expires_and_deletes_nothing_until_it_has_lasted() {
        let (clock, timeline) = trusted();
        let before = clock.now();
        clock.jump(1_000 * HOUR);
        assert_eq!((timeline.now(), timeline.earliest()), (clock.now(), before));
        assert_eq!(timeline.settled(), None);
        for _ in 0..64 {
            clock.pass(HOUR / 60);
            assert_eq!(timeline.settled(), None);
        }
        clock.pass(HOUR / 60);
        assert_eq!(timeline.settled(), Some(clock.now()));
        assert_eq!(timeline.now(), clock.now());
    }

    #[test]
    fn a_jump_ahead_that_is_undone_was_none() {
        let (clock, timeline) = trusted();
        clock.jump(1_000 * HOUR);
        assert_eq!(timeline.settled(), None);
        clock.pass(HOUR / 2);
        assert_eq!(timeline.now(), clock.now());
        clock.jump(-1_000 * HOUR);
        assert_eq!((timeline.now(), timeline.earliest()), (clock.now(), clock.now()));
        assert_eq!(timeline.settled(), None);
        clock.pass(2 * HOUR);
        assert_eq!(timeline.settled(), Some(clock.now()));
    }

    #[test]
    fn a_clock_that_is_put_back_never_puts_the_time_back() {
        let (clock, timeline) = trusted();
        let before = clock.now();
        clock.jump(-HOUR);
        assert_eq!((timeline.now(), timeline.earliest()), (before, clock.now()));
        let mut last = before;
        for _ in 0..12 * 60 {
            clock.pass(HOUR / 60);
            let now = timeline.now();
            assert!(now > last, "{now} {last}");
            last = now;
        }
        assert_eq!(last, clock.now(), "the clock has caught up");
        assert_eq!(timeline.settled(), Some(last));
    }

    #[test]
    fn nobody_is_told_an_earlier_time_than_before_however_seldom_the_clock_is_looked_at() {
        let (clock, timeline) = trusted();
        let mut last = timeline.now();
        for turn in 1..200 {
            clock.pass(HOUR / 200 * turn);
            let before = timeline.now();
            assert!(before >= last, "{before} {last}");
            clock.jump(-HOUR / 10);
            last = timeline.now();
            assert!(last >= before, "{last} {before}");
            clock.pass(1_000_000 / 3);
        }
    }

    #[test]
    fn a_clock_that_is_put_back_again_and_again_deletes_by_what_it_shows() {
        let (clock, timeline) = trusted();
        clock.jump(-100 * HOUR);
        clock.pass(HOUR / 60);
        assert_eq!(timeline.settled(), None);
        for _ in 0..66 {
            clock.pass(HOUR / 60);
            timeline.now();
        }
        assert_eq!(timeline.settled(), Some(clock.now()));
        assert!(timeline.now() > clock.now());
    }

    #[test]
    fn clocks_that_drift_a_little_are_no_jump() {
        let (clock, timeline) = trusted();
        clock.jump(JUMP);
        assert_eq!(timeline.settled(), Some(clock.now().saturating_sub(Duration::from_secs(2))));
        clock.jump(-2 * JUMP);
        assert!(timeline.settled().is_some());
        clock.jump(-1);
        assert_eq!(timeline.settled(), None);
    }
}
