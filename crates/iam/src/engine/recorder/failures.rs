//! Repeated failures: the first is written at once, those that follow are counted and written as one
//! line in each interval.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, Instant};

use super::line::PendingLine;
use crate::model::log::LogKind;
use crate::model::network::Network;

/// The time between two lines about the same failure.
const INTERVAL: Duration = Duration::from_mins(1);

/// The number of failures of an account within an interval that are told apart by caller and
/// network; further ones are counted together.
const OF_AN_ACCOUNT: usize = 100;

/// The caller, the log, the activity and the network of a failure.
type Key = (Arc<str>, LogKind, String, Option<Network>);

fn key(line: &PendingLine) -> Key {
    let network = line.ip.map(Network::of);
    (line.actor.identity().shared_urn(), line.kind, line.what.clone(), network)
}

/// Returns the key under which further failures of an account are counted.
fn key_of_account(line: &PendingLine) -> Key {
    (line.actor.identity().account().as_str().into(), line.kind, String::new(), None)
}

/// Failures that are alike.
struct Alike {
    last: PendingLine,
    count: u64,
}

impl Alike {
    fn line(self) -> PendingLine {
        PendingLine { count: Some(self.count).filter(|count| *count > 1), ..self.last }
    }
}

/// The failures since the last write.
#[derive(Default)]
pub(super) struct Failures {
    alike: HashMap<Key, Alike, RandomState>,
    /// The number of failures of each account that are told apart.
    accounts: HashMap<AccountName, usize, RandomState>,
}

impl Failures {
    /// Adds failures: a line that stands for some.
    pub(super) fn add(&mut self, line: PendingLine, count: u64) {
        let key = key(&line);
        self.add_by(key, line, count);
    }

    fn add_by(&mut self, mut key: Key, line: PendingLine, count: u64) {
        if !self.alike.contains_key(&key) {
            let account = line.actor.identity().account();
            let told_apart = self.accounts.entry(account.clone()).or_default();
            if *told_apart >= OF_AN_ACCOUNT {
                key = key_of_account(&line);
            } else {
                *told_apart += 1;
            }
        }
        match self.alike.get_mut(&key) {
            Some(alike) => {
                alike.count += count;
                alike.last = line;
            }
            None => drop(self.alike.insert(key, Alike { last: line, count })),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, alike) in other.alike {
            self.add_by(key, alike.last, alike.count);
        }
    }
}

/// The failures of the last interval.
#[derive(Default)]
pub(super) struct Repeated {
    counted: Failures,
    /// The times at which lines about failures were written, with their accounts.
    written: HashMap<Key, (Instant, AccountName), RandomState>,
}

impl Repeated {
    /// Adds failures; returns the lines that are due.
    pub(super) fn due(&mut self, failures: Failures, now: Instant) -> Vec<PendingLine> {
        let is_over = |at: &Instant| now.since(*at).is_none_or(|passed| passed >= INTERVAL);
        self.written.retain(|_, (at, _)| !is_over(at));
        let mut of_account = HashMap::<AccountName, usize, RandomState>::default();
        for (_, account) in self.written.values() {
            *of_account.entry(account.clone()).or_default() += 1;
        }
        self.counted.merge(failures);
        let (mut due, mut waiting) = (Vec::new(), Failures::default());
        for (key, alike) in std::mem::take(&mut self.counted).alike {
            let account = alike.last.actor.identity().account().clone();
            let lines = of_account.entry(account.clone()).or_default();
            let is_of_account = *key.0 == *account.as_str();
            if self.written.contains_key(&key) || (*lines >= OF_AN_ACCOUNT && !is_of_account) {
                waiting.add_by(key, alike.last, alike.count);
                continue;
            }
            *lines += 1;
            self.written.insert(key, (now, account));
            due.push(alike.line());
        }
        self.counted = waiting;
        due
    }

    /// Returns the lines about all failures that are counted.
    pub(super) fn all(&mut self) -> Vec<PendingLine> {
        std::mem::take(&mut self.counted).alike.into_values().map(Alike::line).collect()
    }
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{ClientId, Identity, Region};

    use super::super::line::Actor;
    use super::*;
    use crate::model::query_id::QueryId;

    fn failure(client: usize, ip: &str) -> PendingLine {
        let (account, client) = (AccountName::new("aa1-ovh"), ClientId::new(client.to_string()));
        let actor = Actor::Identity(Identity::service_account(Region::Eu, &account, &client));
        let origin = (ip.parse().ok(), QueryId::OPERATOR, Instant::EPOCH);
        PendingLine::about(LogKind::Token, actor, origin)
    }

    #[test]
    fn the_addresses_of_a_network_are_one() {
        let (mut failures, mut repeated) = (Failures::default(), Repeated::default());
        for ip in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1"]
        {
            failures.add(failure(1, ip), 1);
        }
        let mut counts: Vec<_> =
            repeated.due(failures, Instant::EPOCH).into_iter().map(|line| line.count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [None, Some(2), Some(2)]);
    }

    #[test]
    fn an_account_has_few_lines_of_failures_in_an_interval() {
        let mut repeated = Repeated::default();
        let (mut lines, mut count) = (0, 0);
        for second in 0..120 {
            let mut failures = Failures::default();
            for client in 0..300 {
                failures.add(failure(1_000 * client + second, "192.0.2.1"), 1);
            }
            let now = Instant::from_seconds(i64::try_from(second).unwrap());
            for line in repeated.due(failures, now) {
                lines += 1;
                count += line.count.unwrap_or(1);
            }
        }
        count += repeated.all().iter().map(|line| line.count.unwrap_or(1)).sum::<u64>();
        assert!(lines <= 3 * (OF_AN_ACCOUNT + 1), "{lines}");
        assert_eq!(count, 120 * 300, "none is forgotten");
    }
}
