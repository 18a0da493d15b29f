//! One limit of the rate of requests, by key.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use thread_local::ThreadLocal;

use crate::model::rate::RateLimit;
use crate::sources::Sources;

/// The number of seconds whose worth of requests may come at once.
pub(crate) const WINDOW: u32 = 10;

/// The number of keys beyond which all requests count as one key, until enough are forgotten. Keys of
/// [`Limit::lease`] are credentials that were verified, and are not counted.
const MOST_KEYS: usize = 1_000_000;

/// The key that is shared.
const SHARED: u64 = 0;

/// The number of keys for which a thread has cells in advance.
const SLOTS: usize = 4_096;

/// The maximum number of cells that a thread takes at once.
const MOST_AT_ONCE: u32 = 64;

/// The clock of the installation, which is never set back.
#[derive(Clone)]
struct MonotonicClock(Sources);

impl Clock for MonotonicClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

type Governor = RateLimiter<
    u64,
    DashMapStateStore<u64, RandomState>,
    MonotonicClock,
    StateInformationMiddleware,
>;

/// The cells that a thread has in advance for a key.
#[derive(Clone, Copy, Default)]
struct Lease {
    key: u64,
    /// The number of cells that are left.
    left: u32,
    /// The number of cells of the last lease.
    size: u32,
}

/// A limit of the rate of requests, by key.
pub(crate) struct Limit {
    name: &'static str,
    /// None where nothing is limited.
    governor: Option<Governor>,
    clock: MonotonicClock,
    quota: u32,
    /// The number of seconds whose worth is the quota.
    window: u32,
    /// True if there were too many keys when they were last cleaned up.
    is_crowded: AtomicBool,
    leases: ThreadLocal<RefCell<Box<[Lease]>>>,
}

impl Limit {
    /// Creates a limit of a rate, in cells per second, 0 for none, of which a window's worth may come at
    /// once. A request is a cell, unless something else is counted.
    pub(crate) fn new(name: &'static str, rate: u32, window: u32, sources: &Sources) -> Self {
        let clock = MonotonicClock(sources.clone());
        let quota = rate.saturating_mul(window);
        let limits = NonZeroU32::new(rate).zip(NonZeroU32::new(quota));
        let governor = limits.map(|(rate, quota)| {
            let quota = Quota::per_second(rate).allow_burst(quota);
            let hasher = RandomState::default();
            RateLimiter::dashmap_with_clock_and_hasher(quota, clock.clone(), hasher)
                .with_middleware::<StateInformationMiddleware>()
        });
        let (is_crowded, leases) = (AtomicBool::new(false), ThreadLocal::new());
        Self { name, governor, clock, quota, window, is_crowded, leases }
    }

    /// Admits a request; returns the state of the limit. Fails with it where the limit is reached.
    pub(crate) fn admit(&self, key: u64) -> Result<Option<RateLimit>, RateLimit> {
        let Some(governor) = &self.governor else { return Ok(None) };
        match governor.check_key(&self.bounded(key)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                // The cells that are missing come back at the rate.
                let missing = self.quota.saturating_sub(remaining);
                let rate = (self.quota / self.window).max(1);
                Ok(Some(self.state(remaining, missing.div_ceil(rate).into())))
            }
            Err(until) => Err(self.refusal(&until)),
        }
    }

    /// Takes several cells, of which more than the quota count as the quota. Fails with the time until there
    /// are so many.
    pub(crate) fn take(&self, key: u64, cells: u32) -> Result<(), Duration> {
        let Some(governor) = &self.governor else { return Ok(()) };
        let cells = NonZeroU32::new(cells.min(self.quota)).unwrap_or(NonZeroU32::MIN);
        match governor.check_key_n(&self.bounded(key), cells) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(until)) => Err(until.wait_time_from(self.clock.now())),
            Err(_more_than_the_quota) => Err(Duration::from_secs(self.window.into())),
        }
    }

    /// Admits a request by a cell that this thread has in advance, if it has one.
    pub(crate) fn lease(&self, key: u64) -> Result<(), RateLimit> {
        let Some(governor) = &self.governor else { return Ok(()) };
        let slots = || RefCell::new(vec![Lease::default(); SLOTS].into_boxed_slice());
        let mut leases = self.leases.get_or(slots).borrow_mut();
        let place = usize::try_from(key % SLOTS as u64).unwrap_or_default();
        let one_cell = || governor.check_key(&key).map(drop).map_err(|until| self.refusal(&until));
        let Some(lease) = leases.get_mut(place) else { return one_cell() };
        if lease.key == key && lease.left > 0 {
            lease.left -= 1;
            return Ok(());
        }
        // A key that comes again and again takes more at once; one that is seen now and then takes
        // no cell that it does not use.
        let size =
            if lease.key == key { (lease.size * 2).clamp(1, self.most_at_once()) } else { 1 };
        let cells = NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN);
        if let Ok(Ok(_)) = governor.check_key_n(&key, cells) {
            *lease = Lease { key, left: size - 1, size };
            return Ok(());
        }
        *lease = Lease { key, left: 0, size: 0 };
        one_cell()
    }

    /// Forgets the keys that have all their cells again.
    pub(crate) fn clean_up(&self) {
        if let Some(governor) = &self.governor {
            governor.retain_recent();
            self.is_crowded.store(governor.len() > MOST_KEYS, Ordering::Relaxed);
        }
    }

    /// Returns the key to count by: the shared one for all while there are too many, so that memory is
    /// bounded.
    fn bounded(&self, key: u64) -> u64 {
        if self.is_crowded.load(Ordering::Relaxed) { SHARED } else { key }
    }

    fn most_at_once(&self) -> u32 {
        (self.quota / 1_000).clamp(1, MOST_AT_ONCE)
    }

    fn refusal(&self, until: &NotUntil<Duration>) -> RateLimit {
        self.refuse(until.wait_time_from(self.clock.now()))
    }

    /// Counts a refusal, and returns the state of the limit: the client is to wait for so long.
    pub(crate) fn refuse(&self, wait: Duration) -> RateLimit {
        metrics::counter!("gatewright_rate_limited_total", "limit" => self.name).increment(1);
        self.state(0, wait.as_secs() + 1)
    }

    fn state(&self, remaining: u32, seconds: u64) -> RateLimit {
        let Self { name, quota, window, .. } = *self;
        RateLimit { name, quota, window, remaining, seconds }
    }
}
