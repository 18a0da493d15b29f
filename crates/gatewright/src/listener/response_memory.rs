//! Memory for responses that are not small, until their clients have taken them.
//!
//! Strangers have a quarter, so that they cannot take the memory of authenticated callers. An account
//! has at most half of the rest, and a network a quarter of that of strangers.

use std::sync::Arc;

use gatewright_iam::{KeyedPlace, KeyedSemaphores, Recipient};
use metrics::{Counter, Gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::memory::{UNIT, semaphore};

/// The memory for the responses of a listener. Clones share it: each thread counts references to one of
/// its own, so that a small response writes nothing that threads share.
#[derive(Clone)]
pub(crate) struct ResponseMemory {
    strangers: Pool,
    authenticated: Pool,
    gauge: Gauge,
    refused: Counter,
}

impl ResponseMemory {
    /// The memory of operators, and of Envoys, whose responses are small.
    pub(crate) const OPERATORS: usize = 16 << 20;

    /// Creates the memory of a listener; `all` is in bytes.
    pub(crate) fn new(all: usize, listener: &'static str) -> Arc<Self> {
        let strangers = all / 4;
        let authenticated = all - strangers;
        Arc::new(Self {
            strangers: Pool::new(strangers, strangers / 4),
            authenticated: Pool::new(authenticated, authenticated / 2),
            gauge: metrics::gauge!("gatewright_response_memory_bytes", "listener" => listener),
            refused: metrics::counter!("gatewright_responses_refused_total", "listener" => listener),
        })
    }

    /// Returns the same memory for another thread.
    pub(crate) fn for_thread(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }

    /// Takes memory for bytes. Waiting for it would hold the response meanwhile.
    pub(super) fn take(
        &self,
        recipient: Option<&Recipient>,
        bytes: usize,
    ) -> Option<HeldResponseMemory> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let pool = match recipient {
            Some(Recipient::Account(_)) => &self.authenticated,
            Some(Recipient::Network(_)) | None => &self.strangers,
        };
        let Some((all, share)) = pool.take(recipient, units) else {
            self.refused.increment(1);
            return None;
        };
        self.gauge.increment(in_bytes(units));
        Some(HeldResponseMemory { units, _all: all, _share: share, gauge: self.gauge.clone() })
    }
}

/// The part that one recipient has taken. The permits go before the place.
type Share = (OwnedSemaphorePermit, KeyedPlace<Recipient>);

/// The memory for one kind of recipients.
#[derive(Clone)]
struct Pool {
    all: Arc<Semaphore>,
    shares: Arc<KeyedSemaphores<Recipient>>,
}

impl Pool {
    fn new(all: usize, share: usize) -> Self {
        Self { all: semaphore(all), shares: KeyedSemaphores::new(share / UNIT) }
    }

    fn take(
        &self,
        recipient: Option<&Recipient>,
        units: u32,
    ) -> Option<(OwnedSemaphorePermit, Option<Share>)> {
        let share = match recipient {
            Some(recipient) => {
                let place = self.shares.place(recipient.clone(), usize::MAX)?;
                Some((place.try_acquire(units)?, place))
            }
            // It came through a trusted proxy, and needed no handler that knows the client.
            None => None,
        };
        let all = Arc::clone(&self.all).try_acquire_many_owned(units).ok()?;
        Some((all, share))
    }
}

/// Memory that is taken, until this is dropped.
pub(super) struct HeldResponseMemory {
    units: u32,
    _all: OwnedSemaphorePermit,
    _share: Option<Share>,
    gauge: Gauge,
}

impl HeldResponseMemory {
    /// Returns whether this is what so many bytes need.
    pub(super) fn is_for(&self, bytes: usize) -> bool {
        u32::try_from(bytes.div_ceil(UNIT)).is_ok_and(|units| units == self.units)
    }
}

impl Drop for HeldResponseMemory {
    fn drop(&mut self) {
        self.gauge.decrement(in_bytes(self.units));
    }
}

fn in_bytes(units: u32) -> f64 {
    f64::from(units) * 1_024.0
}

#[cfg(test)]
mod tests {
    use gatewright_iam::{AccountName, Network};

    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn no_account_takes_more_than_half_and_all_is_given_back() {
        let memory = ResponseMemory::new(16 * MIB, "test");
        let [one, other, third] = ["aa1-ovh", "bb2-ovh", "cc3-ovh"]
            .map(|name| Recipient::Account(AccountName::new(name)));
        let take = |recipient, bytes| memory.take(Some(recipient), bytes);
        let half = take(&one, 6 * MIB);
        assert!(half.is_some());
        assert!(take(&one, 1).is_none());
        let _rest = take(&other, 6 * MIB).unwrap();
        assert!(take(&third, 1).is_none(), "all is taken");
        drop(half);
        assert!(take(&one, 6 * MIB + 1).is_none());
        assert!(take(&one, 6 * MIB).is_some());
        assert!(take(&third, MIB).is_some());
    }

    #[test]
    fn strangers_cannot_take_the_memory_of_accounts_nor_a_network_that_of_others() {
        let memory = ResponseMemory::new(16 * MIB, "test");
        let networks: Vec<_> = (0..4)
            .map(|number| Recipient::Network(Network::of([192, 0, 2, number].into())))
            .collect();
        let mut held = Vec::new();
        for network in &networks {
            held.push(memory.take(Some(network), MIB).unwrap());
            assert!(memory.take(Some(network), 1).is_none());
        }
        assert!(memory.take(None, 1).is_none());
        let account = Recipient::Account(AccountName::new("aa1-ovh"));
        assert!(memory.take(Some(&account), MIB).is_some());
        held.clear();
        assert!(memory.take(None, 4 * MIB).is_some());
    }
}
