//! The state of sign-ins in memory: failed attempts, the queues of password hashes, and the last use
//! of each session.

use std::net::IpAddr;
use std::time::Duration;

use gatewright_policy::{AccountName, Instant, SessionId};
use highway::{HighwayHash, HighwayHasher, Key};
use quick_cache::sync::Cache;

use crate::engine::hash_queue::{HashQueue, REFUSED_SIGN_INS};
use crate::engine::throttle::{Throttle, ThrottleKey};
use crate::model::device::DeviceId;
use crate::model::error::IamError;
use crate::model::network::Network;
use crate::sources::Sources;

/// The keys that an attempt to authenticate is counted by.
pub(crate) enum AttemptKeys {
    /// By the device, which the person has signed in with before, and by the login over all its
    /// devices: strangers have none.
    Device { device: String, login: String },
    /// By the login at a network, by the login, by the network, and by its site if it has one.
    Stranger { login_at_network: String, login: String, network: String, site: Option<String> },
    /// By the identity at a network, and by the identity: who is signed in proves their password.
    SignedIn { identity_at_network: String, identity: String, account: String },
}

impl AttemptKeys {
    /// Returns the keys of an attempt at a login.
    pub(crate) fn of_login(login: &str, device: Option<DeviceId>, from: Option<IpAddr>) -> Self {
        let login = login.to_owned();
        if let Some(device) = device {
            return Self::Device { device: format!("{device} {login}"), login };
        }
        let network = network_of(from);
        let site = from.and_then(Network::site_of).map(|site| site.to_string());
        let login_at_network = format!("{network} {login}");
        Self::Stranger { login_at_network, login, network, site }
    }

    /// Returns the keys of an attempt of a signed-in person to authenticate again.
    pub(crate) fn of_identity(identity: &str, account: &AccountName, from: Option<IpAddr>) -> Self {
        let identity_at_network = format!("{} {identity}", network_of(from));
        Self::SignedIn {
            identity_at_network,
            identity: identity.to_owned(),
            account: account.to_string(),
        }
    }
}

fn network_of(from: Option<IpAddr>) -> String {
    from.map(|from| Network::of(from).to_string()).unwrap_or_default()
}

/// The last use of a session, by both clocks: whichever says that it was too long ago counts.
#[derive(Clone, Copy)]
pub(crate) struct LastUse {
    pub(crate) at: Instant,
    pub(crate) monotonic: Duration,
}

impl LastUse {
    /// Returns whether it was at least some time ago.
    pub(crate) fn was_before(self, time: Duration, (now, monotonic): (Instant, Duration)) -> bool {
        self.at.saturating_add(time) <= now || self.monotonic.saturating_add(time) <= monotonic
    }
}

/// Holds the state of sign-ins and sessions that is not in the views.
pub(crate) struct SignInAttempts {
    /// The last use of each session, as far as this node knows. Lost when it stops: a session then
    /// counts as just used.
    pub(crate) used: Cache<SessionId, LastUse>,
    sources: Sources,
    devices: Throttle,
    logins_with_devices: Throttle,
    logins_at_networks: Throttle,
    logins: Throttle,
    networks: Throttle,
    sites: Throttle,
    identities_at_networks: Throttle,
    identities: Throttle,
    /// The key of the hashes that counts are kept by.
    hash_key: Key,
    /// Hashes for whoever has proved nothing yet, by network.
    strangers: HashQueue,
    /// Hashes for devices that have signed in before, by login.
    known_devices: HashQueue,
    /// Hashes for whoever is signed in, by account.
    pub(crate) signed_in: HashQueue,
}

impl SignInAttempts {
    pub(crate) fn new(sources: &Sources) -> Result<Self, IamError> {
        let (minute, quarter) = (Duration::from_mins(1), Duration::from_mins(15));
        let mut hash_key = [0; 4];
        for part in &mut hash_key {
            *part = u64::from_ne_bytes(sources.bytes()?);
        }
        Ok(Self {
            used: Cache::new(100_000),
            sources: sources.clone(),
            devices: Throttle::new(10, quarter, quarter),
            logins_with_devices: Throttle::new(100, quarter, quarter),
            logins_at_networks: Throttle::new(5, quarter, quarter),
            // One network alone stays below this by the limit of the login there, so it takes several to
            // make the owner wait at a new device, and then for a minute.
            logins: Throttle::new(50, quarter, minute),
            networks: Throttle::new(20, minute, quarter),
            sites: Throttle::new(100, minute, quarter),
            identities_at_networks: Throttle::new(5, quarter, quarter),
            identities: Throttle::new(50, quarter, minute),
            hash_key: Key(hash_key),
            strangers: HashQueue::new(2, 8, 4),
            known_devices: HashQueue::new(1, 32, 2),
            signed_in: HashQueue::new(1, 256, 64),
        })
    }

    /// Begins an attempt, which counts as failed until [`Self::succeed`]; fails with the seconds to
    /// wait.
    pub(crate) fn begin(&self, keys: &AttemptKeys) -> Result<(), u64> {
        let (counts, now) = (self.counts(keys), self.sources.monotonic());
        for (place, (throttle, key)) in counts.iter().enumerate() {
            if let Err(seconds) = throttle.attempt(*key, now) {
                // What was not tried does not count.
                counts.iter().take(place).for_each(|(throttle, key)| throttle.forgive(*key));
                metrics::counter!(REFUSED_SIGN_INS, "reason" => "throttled").increment(1);
                return Err(seconds);
            }
        }
        Ok(())
    }

    /// Records that an attempt has succeeded. It clears no failure of others: neither at this login
    /// from elsewhere, nor from this network at other logins.
    pub(crate) fn succeed(&self, keys: &AttemptKeys) {
        for (place, (throttle, key)) in self.counts(keys).into_iter().enumerate() {
            // The first is that of this person at this place alone.
            if place == 0 {
                throttle.reset(key);
            } else {
                throttle.forgive(key);
            }
        }
    }

    /// Takes back an attempt that was not decided, as where no hash could be computed.
    pub(crate) fn take_back(&self, keys: &AttemptKeys) {
        self.counts(keys).into_iter().for_each(|(throttle, key)| throttle.forgive(key));
    }

    /// Runs the hash of an attempt, in the queue of its kind.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        keys: &AttemptKeys,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, IamError> {
        match keys {
            AttemptKeys::Device { login, .. } => self.known_devices.run(login, hash).await,
            AttemptKeys::Stranger { network, .. } => self.strangers.run(network, hash).await,
            AttemptKeys::SignedIn { account, .. } => self.signed_in.run(account, hash).await,
        }
    }

    /// Returns the counts of an attempt, the narrowest first.
    fn counts(&self, keys: &AttemptKeys) -> Vec<(&Throttle, ThrottleKey)> {
        let key = |text: &str| HighwayHasher::new(self.hash_key).hash128(text.as_bytes());
        match keys {
            AttemptKeys::Device { device, login } => {
                vec![(&self.devices, key(device)), (&self.logins_with_devices, key(login))]
            }
            AttemptKeys::Stranger { login_at_network, login, network, site } => {
                let mut counts = vec![
                    (&self.logins_at_networks, key(login_at_network)),
                    (&self.logins, key(login)),
                    (&self.networks, key(network)),
                ];
                counts.extend(site.as_deref().map(|site| (&self.sites, key(site))));
                counts
            }
            AttemptKeys::SignedIn { identity_at_network, identity, .. } => {
                vec![
                    (&self.identities_at_networks, key(identity_at_network)),
                    (&self.identities, key(identity)),
                ]
            }
        }
    }
}
