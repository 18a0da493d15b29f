//! The state of sign-ins in memory: rate limits, and the last use of each session.

use gatewright_policy::{Instant, SessionId};
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::engine::throttle::Throttle;

/// The maximum number of concurrent password checks: each takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 4;

/// Holds the state of sign-ins and sessions that is not in the views.
pub(crate) struct SignInAttempts {
    /// The last use of each session, as far as this node knows. Lost when it stops: a session then
    /// counts as just used.
    pub(crate) used: Cache<SessionId, Instant>,
    pub(crate) throttle: Throttle,
    pub(crate) checks: Semaphore,
}

impl SignInAttempts {
    pub(crate) fn new() -> Self {
        Self {
            used: Cache::new(100_000),
            throttle: Throttle::new(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }
}
