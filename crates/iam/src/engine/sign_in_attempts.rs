//! The state of sign-ins in memory: failed attempts, the queues of password hashes, and the last use
//! of each session.

use std::net::IpAddr;
use std::time::Duration;

use gatewright_policy::{Instant, SessionId};
use quick_cache::sync::Cache;

use crate::engine::hash_queue::HashQueue;
use crate::engine::throttle::Throttle;
use crate::model::device::DeviceId;
use crate::model::network::Network;

/// What an attempt to prove an identity is counted by.
pub(crate) enum Counted {
    /// By the device, which the person has signed in with before: nobody else can use it up.
    Device(String),
    /// By the login at a network, by the login, and by the network.
    Stranger { pair: String, login: String, network: String },
}

impl Counted {
    /// Returns what an attempt at a login is counted by.
    pub(crate) fn by(login: &str, device: Option<DeviceId>, from: Option<IpAddr>) -> Self {
        if let Some(device) = device {
            return Self::Device(format!("{login} {device}"));
        }
        let network = from.map(|from| Network::of(from).to_string()).unwrap_or_default();
        let pair = format!("{login} {network}");
        Self::Stranger { pair, login: login.to_owned(), network }
    }
}

/// Holds the state of sign-ins and sessions that is not in the views.
pub(crate) struct SignInAttempts {
    /// The last use of each session, as far as this node knows. Lost when it stops: a session then
    /// counts as just used.
    pub(crate) used: Cache<SessionId, Instant>,
    /// Failures of signed-in people who prove their password again.
    pub(crate) passwords: Throttle,
    devices: Throttle,
    pairs: Throttle,
    logins: Throttle,
    networks: Throttle,
    /// Hashes for whoever has proved nothing yet.
    pub(crate) strangers: HashQueue,
    /// Hashes for devices that have signed in before.
    pub(crate) known_devices: HashQueue,
    /// Hashes for whoever is signed in.
    pub(crate) signed_in: HashQueue,
}

impl SignInAttempts {
    pub(crate) fn new() -> Self {
        let quarter = Duration::from_mins(15);
        Self {
            used: Cache::new(100_000),
            passwords: Throttle::new(5, quarter),
            devices: Throttle::new(10, quarter),
            pairs: Throttle::new(5, quarter),
            // One network alone stays below this by the limit of the pair, so it takes several to
            // make the owner wait at a new device.
            logins: Throttle::new(50, quarter),
            networks: Throttle::new(20, Duration::from_mins(1)),
            strangers: HashQueue::new(2, 8),
            known_devices: HashQueue::new(1, 8),
            signed_in: HashQueue::new(1, 16),
        }
    }

    /// Begins an attempt, which counts as failed until [`Self::succeed`]; fails with the seconds to
    /// wait.
    pub(crate) fn begin(&self, counted: &Counted, now: Instant) -> Result<(), u64> {
        let begun = match counted {
            Counted::Device(device) => self.devices.attempt(device, now),
            Counted::Stranger { pair, login, network } => {
                self.pairs.attempt(pair, now).and_then(|()| {
                    self.logins.attempt(login, now).inspect_err(|_| self.pairs.forgive(pair))?;
                    self.networks.attempt(network, now).inspect_err(|_| {
                        self.pairs.forgive(pair);
                        self.logins.forgive(login);
                    })
                })
            }
        };
        if begun.is_err() {
            metrics::counter!("gatewright_sign_ins_refused_total", "reason" => "throttled")
                .increment(1);
        }
        begun
    }

    /// Records that an attempt has succeeded. It clears no failure of others: neither at this login
    /// from elsewhere, nor from this network at other logins.
    pub(crate) fn succeed(&self, counted: &Counted) {
        match counted {
            Counted::Device(device) => self.devices.reset(device),
            Counted::Stranger { pair, login, network } => {
                self.pairs.reset(pair);
                self.logins.forgive(login);
                self.networks.forgive(network);
            }
        }
    }

    /// Takes back an attempt that was not decided, as where no hash could be computed.
    pub(crate) fn take_back(&self, counted: &Counted) {
        match counted {
            Counted::Device(device) => self.devices.forgive(device),
            Counted::Stranger { pair, login, network } => {
                self.pairs.forgive(pair);
                self.logins.forgive(login);
                self.networks.forgive(network);
            }
        }
    }

    /// Returns the queue for the hash of an attempt.
    pub(crate) fn queue(&self, counted: &Counted) -> &HashQueue {
        match counted {
            Counted::Device(_) => &self.known_devices,
            Counted::Stranger { .. } => &self.strangers,
        }
    }
}
