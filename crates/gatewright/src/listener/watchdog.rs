//! Watchdog of a connection: ends it when the client lets it wait.
//!
//! It looks at the progress of the connection four times in the shortest of the limits, so a client
//! has at least the limit, and at most half of the shortest one more.

use std::time::Duration;

use super::progress::Snapshot;
use crate::config::Timeouts;

/// The phase of a connection in which the server waits for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request.
    Head,
    /// The next request.
    Idle,
    /// Room to send a response.
    Write,
}

impl Phase {
    /// Returns the label in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Write => "write",
        }
    }
}

/// The watchdog of a connection.
pub(super) struct Watchdog {
    /// The limits, in ticks.
    head: u32,
    idle: u32,
    write: u32,
    last: Option<Snapshot>,
    /// The ticks in turn at which the client let the server wait, for each phase.
    head_ticks: u32,
    idle_ticks: u32,
    write_ticks: u32,
}

/// Returns the time between two ticks.
pub(super) fn interval(Timeouts { header, idle, write, .. }: &Timeouts) -> Duration {
    (*header).min(*idle).min(*write) / 4
}

impl Watchdog {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        let interval = interval(timeouts).as_millis().max(1);
        let ticks = |limit: Duration| {
            u32::try_from(limit.as_millis().div_ceil(interval)).unwrap_or(u32::MAX)
        };
        Self {
            head: ticks(timeouts.header),
            idle: ticks(timeouts.idle),
            write: ticks(timeouts.write),
            last: None,
            head_ticks: 0,
            idle_ticks: 0,
            write_ticks: 0,
        }
    }

    /// Compares the progress with the last look; returns the phase that has taken too long.
    pub(super) fn tick(&mut self, now: Snapshot) -> Option<Phase> {
        let last = self.last.replace(now);
        // The last response may be in the buffer still, and be taken slowly.
        let is_quiet = now.in_flight == 0
            && !now.is_sending
            && last.is_none_or(|last| (last.requests, last.sent) == (now.requests, now.sent));
        // On a new connection, the first request counts as begun.
        let is_head = is_quiet && (now.has_begun_head || now.requests == 0);
        let is_blocked = now.is_sending && last.is_some_and(|last| last.sent == now.sent);
        for (ticks, waits) in [
            (&mut self.head_ticks, is_head),
            (&mut self.idle_ticks, is_quiet && !is_head),
            (&mut self.write_ticks, is_blocked),
        ] {
            *ticks = if waits { *ticks + 1 } else { 0 };
        }
        if self.write_ticks > self.write {
            Some(Phase::Write)
        } else if self.head_ticks > self.head {
            Some(Phase::Head)
        } else if self.idle_ticks > self.idle {
            Some(Phase::Idle)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Snapshot =
        Snapshot { requests: 1, in_flight: 0, sent: 1, is_sending: false, has_begun_head: false };

    /// Looks until the connection is ended; returns when, in seconds, and why.
    fn ended(snapshots: impl Fn(u32) -> Snapshot) -> Option<(u32, Phase)> {
        let second = Duration::from_secs(1);
        let timeouts = Timeouts {
            header: second * 4,
            idle: second * 20,
            write: second * 8,
            ..Timeouts::default()
        };
        assert_eq!(interval(&timeouts), second);
        let mut watchdog = Watchdog::new(&timeouts);
        (1..100).find_map(|time| Some((time, watchdog.tick(snapshots(time))?)))
    }

    #[test]
    fn a_client_that_sends_no_head_has_the_time_for_a_head() {
        assert_eq!(ended(|_| Snapshot { requests: 0, ..QUIET }), Some((5, Phase::Head)));
        assert_eq!(ended(|_| Snapshot { has_begun_head: true, ..QUIET }), Some((5, Phase::Head)));
    }

    #[test]
    fn a_head_that_begins_late_has_its_whole_time() {
        let late = |time| Snapshot { has_begun_head: time > 19, ..QUIET };
        assert_eq!(ended(late), Some((24, Phase::Head)));
    }

    #[test]
    fn an_idle_connection_ends_later_than_one_with_half_a_head() {
        assert_eq!(ended(|_| QUIET), Some((21, Phase::Idle)));
        assert_eq!(ended(|time| Snapshot { requests: time, ..QUIET }), None);
    }

    #[test]
    fn a_request_in_flight_may_take_its_time() {
        assert_eq!(ended(|_| Snapshot { in_flight: 1, ..QUIET }), None);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_let_go_and_a_slow_one_not() {
        let blocked = Snapshot { in_flight: 1, is_sending: true, ..QUIET };
        assert_eq!(ended(|_| blocked), Some((10, Phase::Write)));
        assert_eq!(ended(|time| Snapshot { sent: time / 5, ..blocked }), None);
        // Its response is buffered whole.
        let buffered = Snapshot { in_flight: 0, ..blocked };
        assert_eq!(ended(|_| buffered), Some((10, Phase::Write)));
        assert_eq!(ended(|time| Snapshot { sent: time / 5, ..buffered }), None);
        let pipelined = Snapshot { has_begun_head: true, ..buffered };
        assert_eq!(ended(|time| Snapshot { sent: time / 5, ..pipelined }), None);
    }
}
