//! Networks of clients: the unit by which addresses are counted.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A network of one client, as far as addresses tell: an IPv4 address, or an IPv6 /64, which a single
/// machine may have as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// Returns the network that an address is in.
    pub fn of(address: IpAddr) -> Self {
        Self(masked(address, 64))
    }

    /// Returns the network that a customer of a provider may have as a whole: an IPv6 /48. None for
    /// IPv4, where it is the same.
    pub(crate) fn site_of(address: IpAddr) -> Option<Self> {
        let site = masked(address, 48);
        site.is_ipv6().then_some(Self(site))
    }
}

/// Returns an address without the last bits of an IPv6 address.
fn masked(address: IpAddr, kept: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - kept);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    fn site(address: &str) -> Option<Network> {
        Network::site_of(address.parse().unwrap())
    }

    #[test]
    fn addresses_that_one_machine_may_have_are_one_network() {
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn networks_that_one_customer_may_have_are_one_site() {
        assert_eq!(site("2001:db8:1:1::1"), site("2001:db8:1:ffff::1"));
        assert_ne!(site("2001:db8:1::1"), site("2001:db8:2::1"));
        assert_eq!(site("192.0.2.1"), None);
    }
}
