//! The setting `trusted-proxies`, which is either a list of networks or said to be empty.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

/// The word that says that no proxy is trusted.
const NONE: &str = "none";

/// An entry of the setting: a network, an address, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum TrustedProxy {
    Network(IpNet),
    None,
}

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Self::None);
        }
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().or_else(|_| address());
        network.map(Self::Network).map_err(|_| {
            format!("{text:?} is no network as in 10.0.0.0/8, no address, and not {NONE:?}")
        })
    }
}

impl Serialize for TrustedProxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Network(network) => serializer.collect_str(network),
            Self::None => serializer.serialize_str(NONE),
        }
    }
}

impl TryFrom<String> for TrustedProxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Returns the networks of the setting, which may be said to be empty.
pub(super) fn networks(entries: &[TrustedProxy]) -> Result<Vec<IpNet>, String> {
    let networks = entries.iter().filter_map(|entry| match entry {
        TrustedProxy::Network(network) => Some(*network),
        TrustedProxy::None => None,
    });
    let networks: Vec<IpNet> = networks.collect();
    if entries.len() > 1 && networks.len() < entries.len() {
        return Err(format!("{NONE:?} stands alone"));
    }
    Ok(networks)
}
