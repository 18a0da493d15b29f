//! Bounds the look-ups of credentials in the database: anybody can name some that do not exist.
//!
//! Invariants: look-ups of strangers never take all connections to the database; those from one network
//! leave turns for the others, so a client that is not in memory yet waits for networks, not for requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::engine::keyed_semaphores::KeyedSemaphores;
use crate::model::error::{IamError, Overload};
use crate::model::network::Network;

/// The maximum number of look-ups of clients at once, and of those of tokens and sessions.
pub(crate) const AT_ONCE: usize = 4;

/// The maximum number of look-ups of clients at once from a network.
pub(crate) const OF_NETWORK: usize = 2;

/// The maximum number of requests from a network that look up a client or wait for a turn.
pub(crate) const WAITING: usize = 1_000;

/// The time after which a client may try again that got no turn, in seconds.
const RETRY: u64 = 1;

/// The turns of look-ups.
pub(crate) struct CredentialLookups {
    clients: Semaphore,
    networks: Arc<KeyedSemaphores<Option<Network>>>,
    others: Semaphore,
    /// The maximum time of waiting for a turn.
    timeout: Duration,
}

impl CredentialLookups {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            clients: Semaphore::new(AT_ONCE),
            networks: KeyedSemaphores::new(OF_NETWORK),
            others: Semaphore::new(AT_ONCE),
            timeout,
        }
    }

    /// Looks up a client for a request from an address, once it is its turn; fails with
    /// [`IamError::Busy`] where that takes too long.
    pub(crate) async fn client<T>(
        &self,
        from: Option<IpAddr>,
        look_up: impl Future<Output = T>,
    ) -> Result<T, IamError> {
        let place = self.networks.place(from.map(customer_of), WAITING).ok_or_else(busy)?;
        let turn = timeout(self.timeout, async {
            let own = place.acquire().await.map_err(IamError::internal)?;
            let all = self.clients.acquire().await.map_err(IamError::internal)?;
            Ok::<_, IamError>((own, all))
        });
        let turn = turn.await.map_err(|_| busy())??;
        let found = look_up.await;
        drop(turn);
        Ok(found)
    }

    /// Looks up a token or a session in the same way, whose address is not known here.
    pub(crate) async fn other<T>(&self, look_up: impl Future<Output = T>) -> Result<T, IamError> {
        let turn = timeout(self.timeout, self.others.acquire()).await;
        let turn = turn.map_err(|_| busy())?;
        let turn = turn.map_err(IamError::internal)?;
        let found = look_up.await;
        drop(turn);
        Ok(found)
    }
}

/// Returns the network that one customer of a provider may have.
fn customer_of(address: IpAddr) -> Network {
    Network::site_of(address).unwrap_or_else(|| Network::of(address))
}

fn busy() -> IamError {
    IamError::Busy { cause: Overload("look-ups of credentials"), seconds: RETRY }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn look_ups_of_one_network_leave_turns_for_the_others() {
        let lookups = Arc::new(CredentialLookups::new(Duration::from_secs(30)));
        let address = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let mut flood = JoinSet::new();
        for _ in 0..100 {
            let lookups = Arc::clone(&lookups);
            flood.spawn(async move { lookups.client(address(1), pending::<()>()).await });
        }
        while lookups.clients.available_permits() > AT_ONCE - OF_NETWORK {
            yield_now().await;
        }
        assert_eq!(lookups.client(address(2), ready(7)).await.unwrap(), 7);
        assert_eq!(lookups.other(ready(8)).await.unwrap(), 8);
        flood.shutdown().await;
        assert_eq!(lookups.client(address(1), ready(9)).await.unwrap(), 9);
    }

    #[tokio::test]
    async fn a_network_whose_turn_does_not_come_is_told_to_wait() {
        let lookups = Arc::new(CredentialLookups::new(Duration::from_millis(1)));
        let mut flood = JoinSet::new();
        for _ in 0..OF_NETWORK {
            let lookups = Arc::clone(&lookups);
            flood.spawn(async move { lookups.client(None, pending::<()>()).await });
        }
        while lookups.clients.available_permits() > AT_ONCE - OF_NETWORK {
            yield_now().await;
        }
        let late = lookups.client(None, ready(())).await;
        assert!(matches!(late, Err(IamError::Busy { .. })), "{late:?}");
    }
}
