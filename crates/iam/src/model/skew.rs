//! The difference that the clocks of nodes may have.

use std::time::Duration;

use gatewright_policy::Instant;

/// The maximum difference between the clocks of two nodes.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Returns whether something is dated by a clock that was ahead. What such a clock has issued would be
/// valid for too long, so it does not count.
pub(crate) fn is_from_future(at: Instant, now: Instant) -> bool {
    at > now.saturating_add(CLOCK_SKEW)
}
