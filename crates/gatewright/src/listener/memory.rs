//! Memory for the bodies of requests: pools that many share, and the part of each client's network.
//!
//! Strangers have a pool of their own, so that they cannot take the memory of callers who are
//! authenticated. No network has more than a part of either.

use std::io;
use std::sync::Arc;

use gatewright_iam::AuthenticationMark;
use gatewright_iam::limits::{BODY_BYTES, SIGN_IN_FORM_BYTES};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of memory, in bytes.
pub(super) const UNIT: usize = 1 << 10;

/// The bytes of a listener's bodies, for two kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) strangers: usize,
    pub(crate) authenticated: usize,
}

impl Budget {
    /// The largest bodies: one of each kind always fits.
    const LEAST: Self = Self { strangers: SIGN_IN_FORM_BYTES, authenticated: BODY_BYTES };

    /// Returns the part of clients in the memory for all bodies.
    pub(crate) fn of_clients(all: usize) -> Self {
        Self { strangers: all / 4, authenticated: all / 2 }
    }

    /// Returns the part of Envoys, who are not told apart.
    pub(crate) fn of_envoys(all: usize) -> Self {
        Self { strangers: all / 4, authenticated: 0 }
    }

    /// Returns the memory of operators, who need not send bodies.
    pub(crate) const OPERATORS: Self = Self { strangers: SIGN_IN_FORM_BYTES, authenticated: 0 };

    /// Returns the part that one network may have.
    pub(super) fn of_network(self) -> Self {
        Self {
            strangers: (self.strangers / 8).max(Self::LEAST.strangers),
            authenticated: (self.authenticated / 4).max(Self::LEAST.authenticated),
        }
    }
}

/// The sender of a body, as far as is known yet.
#[derive(Clone, Copy)]
enum Sender {
    Stranger,
    Authenticated,
}

/// The memory of a listener, or of a network.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    strangers: Arc<Semaphore>,
    authenticated: Arc<Semaphore>,
}

impl Pools {
    pub(super) fn new(budget: Budget) -> Self {
        let Budget { strangers, authenticated } = budget;
        Self { strangers: semaphore(strangers), authenticated: semaphore(authenticated) }
    }

    fn take(&self, sender: Sender, units: u32) -> Option<OwnedSemaphorePermit> {
        let pool = match sender {
            Sender::Stranger => &self.strangers,
            Sender::Authenticated => &self.authenticated,
        };
        Arc::clone(pool).try_acquire_many_owned(units).ok()
    }
}

/// Creates a semaphore with a permit for each unit of memory.
pub(super) fn semaphore(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS)))
}

/// The memory of one request.
pub(super) struct Memory {
    listener: Arc<Pools>,
    /// None for a trusted proxy, which sends the requests of many networks.
    network: Option<Arc<Pools>>,
    mark: AuthenticationMark,
    /// The bytes that need no memory.
    free: usize,
    used: usize,
    held: HeldBodyMemory,
}

/// Memory that is taken, until this is dropped.
#[derive(Default)]
pub(super) struct HeldBodyMemory {
    units: u32,
    /// One permit or two for each part: of the network, and of the listener.
    permits: Vec<OwnedSemaphorePermit>,
}

impl Memory {
    pub(super) fn new(
        listener: &Arc<Pools>,
        network: Option<&Arc<Pools>>,
        mark: AuthenticationMark,
        free: usize,
    ) -> Self {
        let (listener, network) = (Arc::clone(listener), network.cloned());
        Self { listener, network, mark, free, used: 0, held: HeldBodyMemory::default() }
    }

    /// Counts bytes for which memory is taken at the next time.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.used += bytes;
    }

    /// Takes memory for more bytes. Waiting for it would make one slow client hold up all.
    pub(super) fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.used += bytes;
        let needed = self.used.saturating_sub(self.free).div_ceil(UNIT);
        let more = u32::try_from(needed).unwrap_or(u32::MAX).saturating_sub(self.held.units);
        if more == 0 {
            return Ok(());
        }
        let sender = if self.mark.is_set() { Sender::Authenticated } else { Sender::Stranger };
        let pools = [self.network.as_ref(), Some(&self.listener)];
        for pools in pools.into_iter().flatten() {
            let Some(permit) = pools.take(sender, more) else {
                return Err(io::ErrorKind::QuotaExceeded.into());
            };
            self.held.permits.push(permit);
        }
        self.held.units += more;
        Ok(())
    }

    /// Hands over what is taken.
    pub(super) fn release(&mut self) -> HeldBodyMemory {
        std::mem::take(&mut self.held)
    }
}
