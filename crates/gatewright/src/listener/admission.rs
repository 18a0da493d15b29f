//! Admission of connections: how many there may be, in all and from one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_iam::Network;
use ipnet::IpNet;
use metrics::{Counter, Gauge};

use super::memory::{Budget, Pools};

/// The limits of a listener's connections.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    /// All connections.
    pub(crate) total: usize,
    /// The connections from an IPv4 address, or an IPv6 network of 64 bits.
    pub(crate) per_address: usize,
    /// Proxies: each has the connections of all its clients.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The memory for all bodies of requests.
    pub(crate) bodies: Budget,
}

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    Total,
    Address,
}

/// Admits connections. It is locked when a connection is opened and when it is closed, and never
/// for a request.
pub(crate) struct Admission {
    limits: ConnectionLimits,
    open: Mutex<Open>,
    gauge: Gauge,
    refused: [(Excess, Counter); 2],
}

/// The open connections.
#[derive(Debug, Default)]
struct Open {
    total: usize,
    networks: HashMap<Network, NetworkUse>,
}

/// The connections of a network, and the memory for the bodies of its requests.
#[derive(Debug)]
struct NetworkUse {
    connections: usize,
    memory: Arc<Pools>,
}

/// A connection that is admitted, until this is dropped.
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    /// The network whose connections are counted; none for a trusted proxy.
    network: Option<Network>,
    memory: Option<Arc<Pools>>,
}

impl Admitted {
    /// Returns the client's network; none for a trusted proxy.
    pub(super) fn network(&self) -> Option<Network> {
        self.network
    }

    /// Returns the memory of the client's network; none for a trusted proxy.
    pub(super) fn memory(&self) -> Option<&Arc<Pools>> {
        self.memory.as_ref()
    }
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits, listener: &'static str) -> Arc<Self> {
        let refused = [(Excess::Total, "total"), (Excess::Address, "address")];
        let refused = refused.map(|(excess, reason)| {
            let labels = [("listener", listener), ("reason", reason)];
            (excess, metrics::counter!("gatewright_connections_refused_total", &labels))
        });
        let gauge = metrics::gauge!("gatewright_connections_open", "listener" => listener);
        Arc::new(Self { limits, open: Mutex::default(), gauge, refused })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a connection from an address, unless there are too many.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admitted, Excess> {
        let address = address.to_canonical();
        let is_trusted = self.limits.trusted_proxies.iter().any(|block| block.contains(&address));
        let network = (!is_trusted).then(|| Network::of(address));
        match self.count(network) {
            Ok(memory) => {
                self.gauge.increment(1.0);
                Ok(Admitted { admission: Arc::clone(self), network, memory })
            }
            Err(excess) => {
                for (_, counter) in self.refused.iter().filter(|(one, _)| *one == excess) {
                    counter.increment(1);
                }
                Err(excess)
            }
        }
    }

    /// Counts a new connection, unless it would exceed a limit; returns the memory of its network.
    fn count(&self, network: Option<Network>) -> Result<Option<Arc<Pools>>, Excess> {
        let mut open = self.open();
        if open.total >= self.limits.total {
            return Err(Excess::Total);
        }
        let mut memory = None;
        if let Some(network) = network {
            let network = open.networks.entry(network).or_insert_with(|| NetworkUse {
                connections: 0,
                memory: Arc::new(Pools::new(self.limits.bodies.of_network())),
            });
            if network.connections >= self.limits.per_address {
                return Err(Excess::Address);
            }
            network.connections += 1;
            memory = Some(Arc::clone(&network.memory));
        }
        open.total += 1;
        Ok(memory)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.total = open.total.saturating_sub(1);
        if let Some(key) = self.network
            && let Some(network) = open.networks.get_mut(&key)
        {
            network.connections = network.connections.saturating_sub(1);
            if network.connections == 0 {
                open.networks.remove(&key);
            }
        }
        drop(open);
        self.admission.gauge.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Arc<Admission> {
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let bodies = Budget::of_clients(64 << 20);
        Admission::new(ConnectionLimits { total, per_address, trusted_proxies, bodies }, "test")
    }

    fn admit(admission: &Arc<Admission>, address: &str) -> Result<Admitted, Excess> {
        admission.admit(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_connections_and_gets_them_back() {
        let admission = admission(100, 2);
        let first = admit(&admission, "192.0.2.1").ok().unwrap();
        let _second = admit(&admission, "::ffff:192.0.2.1").ok().unwrap();
        assert_eq!(admit(&admission, "192.0.2.1").err(), Some(Excess::Address));
        assert!(admit(&admission, "192.0.2.2").is_ok());
        drop(first);
        assert!(admit(&admission, "192.0.2.1").is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let admission = admission(100, 1);
        let _first = admit(&admission, "2001:db8::1").ok().unwrap();
        assert_eq!(admit(&admission, "2001:db8::ffff:1").err(), Some(Excess::Address));
        assert!(admit(&admission, "2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn a_trusted_proxy_is_limited_by_the_total_alone() {
        let admission = admission(3, 1);
        let kept: Vec<_> = (0..3).map(|_| admit(&admission, "10.0.0.1").ok().unwrap()).collect();
        assert_eq!(admit(&admission, "10.0.0.1").err(), Some(Excess::Total));
        assert_eq!(admit(&admission, "192.0.2.1").err(), Some(Excess::Total));
        drop(kept);
        assert!(admit(&admission, "192.0.2.1").is_ok());
        assert!(admission.open().networks.is_empty(), "nothing is kept of who has gone");
    }
}
