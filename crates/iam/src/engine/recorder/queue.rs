//! Queues of log lines: bounded in bytes, and fair.
//!
//! Invariants: a queue takes no more than its size; and once it fills up, an account has no more than
//! twice what is left free, and a caller no more than that, so that who writes much loses lines
//! before others do.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, Identity};

use super::line::{FIXED, PendingLine};

/// The size of a queue, in bytes. Each thread has one for decisions and one for all else.
const SIZE: usize = 1024 * 1024;

/// The size up to which nobody's use is counted, in bytes.
const UNCOUNTED: usize = SIZE / 8;

/// The size of a line that has not been built yet, in bytes: more than nearly all lines take.
const ESTIMATED: usize = FIXED + 256;

/// The sizes of the lines of each account and of each caller.
#[derive(Default)]
struct UsedBytes {
    accounts: HashMap<AccountName, usize, RandomState>,
    callers: HashMap<Arc<str>, usize, RandomState>,
}

impl UsedBytes {
    fn add(&mut self, identity: &Identity, size: usize) {
        // Looked up before it is inserted: to clone the key writes a reference count that threads share.
        match self.accounts.get_mut(identity.account()) {
            Some(used) => *used += size,
            None => drop(self.accounts.insert(identity.account().clone(), size)),
        }
        match self.callers.get_mut(identity.urn()) {
            Some(used) => *used += size,
            None => drop(self.callers.insert(identity.shared_urn(), size)),
        }
    }

    fn has_room(&self, identity: &Identity, size: usize, free: usize) -> bool {
        let account = self.accounts.get(identity.account()).copied().unwrap_or_default();
        // Once a log is full this is asked for every line, so what is cheap comes first.
        account + size <= 2 * free && {
            let caller = self.callers.get(identity.urn()).copied().unwrap_or_default();
            caller + size <= free
        }
    }
}

/// A queue of log lines.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) lines: Vec<PendingLine>,
    size: usize,
    /// The bytes of each account and caller, once it is so full that this matters.
    used: Option<UsedBytes>,
}

impl Queue {
    /// Checks whether a line of a caller is likely to find room, before it is built: once a log is full,
    /// nearly all lines would be built in vain.
    pub(super) fn may_have_room(&self, identity: &Identity) -> bool {
        let Some(free) = SIZE.checked_sub(self.size + ESTIMATED) else { return false };
        self.used.as_ref().is_none_or(|used| used.has_room(identity, ESTIMATED, free))
    }

    /// Adds a line; returns it where there is no room for it.
    pub(super) fn push(&mut self, line: PendingLine) -> Option<PendingLine> {
        let size = line.size();
        let Some(free) = SIZE.checked_sub(self.size + size) else { return Some(line) };
        if self.size >= UNCOUNTED {
            let used = self.used.get_or_insert_with(|| {
                let mut used = UsedBytes::default();
                self.lines.iter().for_each(|line| used.add(line.actor.identity(), line.size()));
                used
            });
            let identity = line.actor.identity();
            if !used.has_room(identity, size, free) {
                return Some(line);
            }
            used.add(identity, size);
        }
        self.size += size;
        self.lines.push(line);
        None
    }
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{ClientId, Identity, Instant, Region};

    use super::super::line::Actor;
    use super::*;
    use crate::model::log::LogKind;
    use crate::model::query_id::QueryId;

    fn line(account: &str, client: &str) -> PendingLine {
        let (account, client) = (AccountName::new(account), ClientId::new(client));
        let actor = Actor::Identity(Identity::service_account(Region::Eu, &account, &client));
        PendingLine::about(LogKind::Decision, actor, (None, QueryId::OPERATOR, Instant::EPOCH))
    }

    /// Adds lines of a caller until one is refused; returns how many were added.
    fn fill(queue: &mut Queue, account: &str, client: &str) -> usize {
        (0..1_000_000).take_while(|_| queue.push(line(account, client)).is_none()).count()
    }

    #[test]
    fn who_writes_much_leaves_room_for_others() {
        let mut queue = Queue::default();
        let noisy = fill(&mut queue, "aa1-ovh", "EU.1");
        assert!(noisy > 500, "{noisy}");
        assert!(queue.push(line("aa1-ovh", "EU.1")).is_some(), "its share is used up");
        let may_have_room = |client| queue.may_have_room(line("aa1-ovh", client).actor.identity());
        assert!(!may_have_room("EU.1"), "no more lines are built");
        assert!(may_have_room("EU.2"));
        let colleague = fill(&mut queue, "aa1-ovh", "EU.2");
        assert!(colleague > noisy / 10, "{colleague} beside {noisy}");
        let stranger = fill(&mut queue, "bb2-ovh", "EU.3");
        assert!(stranger > noisy / 10, "{stranger} beside {noisy}");
        assert!(queue.size <= SIZE);
    }

    #[test]
    fn many_callers_take_no_more_than_the_queue() {
        let mut queue = Queue::default();
        for client in 0..10_000 {
            fill(&mut queue, &format!("aa{client}-ovh"), &format!("EU.{client}"));
        }
        assert!(queue.size <= SIZE);
    }
}
