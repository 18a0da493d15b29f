//! Events of the server's log about requests that were refused for their rate.
//!
//! Whoever is refused asks on, perhaps a million times a second: each limit is logged at most once a minute
//! for an account or a network, and a thread that would have to wait logs nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use gatewright_policy::AccountName;

use crate::model::network::Network;

/// The time within which a limit is logged once for an account or a network.
const INTERVAL: Duration = Duration::from_mins(1);

/// The maximum number of events in that time.
const MOST: usize = 1_000;

/// The callers whose requests are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Refused {
    /// The callers of an account.
    Account(AccountName),
    /// Somebody in a network; none if the address is not known.
    Network(Option<Network>),
}

impl Refused {
    /// Returns the network of an address.
    pub(super) fn at(from: Option<IpAddr>) -> Self {
        Self::Network(from.map(Network::of))
    }
}

/// The events of the last minute.
#[derive(Default)]
pub(super) struct RefusalLog(Mutex<HashMap<(&'static str, Refused), Duration>>);

impl RefusalLog {
    /// Logs that requests are refused for a limit, unless that was logged within the last minute.
    pub(super) fn note(&self, limit: &'static str, refused: &Refused, now: Duration) {
        if !self.is_due(limit, refused, now) {
            return;
        }
        match refused {
            Refused::Account(account) => {
                tracing::warn!(limit, %account, "requests are refused for their rate");
            }
            Refused::Network(network) => {
                let ip = network.map(|network| network.to_string());
                tracing::warn!(limit, ip, "requests are refused for their rate");
            }
        }
    }

    fn is_due(&self, limit: &'static str, refused: &Refused, now: Duration) -> bool {
        let Ok(mut logged) = self.0.try_lock() else { return false };
        let key = (limit, refused.clone());
        let is_recent = |at: &Duration| now.saturating_sub(*at) < INTERVAL;
        if logged.get(&key).is_some_and(is_recent) {
            return false;
        }
        if logged.len() >= MOST {
            logged.retain(|_, at| is_recent(at));
        }
        logged.len() < MOST && logged.insert(key, now).is_none_or(|at| !is_recent(&at))
    }

    /// Forgets the events that are older than a minute.
    pub(super) fn clean_up(&self, now: Duration) {
        if let Ok(mut logged) = self.0.try_lock() {
            logged.retain(|_, at| now.saturating_sub(*at) < INTERVAL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_limit_is_logged_once_a_minute_for_each_account_and_network() {
        let log = RefusalLog::default();
        let account = |name| Refused::Account(AccountName::new(name));
        let network = |last| Refused::at(Some(IpAddr::from([192, 0, 2, last])));
        for refused in [account("a"), account("b"), network(1), network(2), Refused::at(None)] {
            for limit in ["one", "other"] {
                assert!(log.is_due(limit, &refused, SECOND), "{limit} {refused:?}");
                assert!(!log.is_due(limit, &refused, 60 * SECOND));
                assert!(log.is_due(limit, &refused, 61 * SECOND));
            }
        }
    }

    #[test]
    fn so_many_events_are_logged_in_a_minute_at_most() {
        let log = RefusalLog::default();
        let account = |number: usize| Refused::Account(AccountName::new(number.to_string()));
        let due = |from: usize, now| {
            (from..from + 2_000).filter(|number| log.is_due("one", &account(*number), now)).count()
        };
        assert_eq!(due(0, SECOND), MOST);
        assert_eq!(due(2_000, 2 * SECOND), 0);
        assert_eq!(due(4_000, 61 * SECOND), MOST);
    }
}
