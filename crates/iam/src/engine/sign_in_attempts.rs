//! What signing in needs in memory: rate limits, and when each session was last used.

use gatewright_policy::Instant;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::engine::throttle::Throttle;

/// So many passwords are checked at once: each check takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 4;

/// What sessions need beside the views.
pub(crate) struct SignInAttempts {
    /// When each was last used, as far as this node knows. Lost when it stops: a session then
    /// counts as just used.
    pub(crate) used: Cache<Box<str>, Instant>,
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
