//! Activity that is not written yet.

use std::collections::HashMap;
use std::ops::AddAssign;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, Instant};

use super::failures::Failures;
use super::line::PendingLine;
use super::queue::Queue;
use crate::model::log::LogKind;

/// The numbers of activities of an account.
#[derive(Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) tokens: i64,
    pub(super) allowed: i64,
    pub(super) refused: i64,
    pub(super) left_out: i64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.left_out += other.left_out;
    }
}

/// A batch of activity that is not written yet; aligned, so that the shards of two threads share no
/// cache line.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Pending {
    pub(super) decisions: Queue,
    pub(super) others: Queue,
    pub(super) failures: Failures,
    /// The numbers of lines that were left out, by account and log.
    pub(super) left_out: HashMap<(AccountName, LogKind), u64, RandomState>,
    pub(super) counts: HashMap<AccountName, Counts, RandomState>,
    pub(super) last_used: HashMap<(AccountName, Box<str>), Instant, RandomState>,
}

impl Pending {
    pub(super) fn count(&mut self, account: &AccountName, add: impl FnOnce(&mut Counts)) {
        // Most exist already, and need no key of their own.
        match self.counts.get_mut(account) {
            Some(counts) => add(counts),
            None => add(self.counts.entry(account.clone()).or_default()),
        }
    }

    /// Adds a log line, or counts it as left out.
    pub(super) fn add(&mut self, line: PendingLine) {
        let is_decision = line.kind == LogKind::Decision;
        let queue = if is_decision { &mut self.decisions } else { &mut self.others };
        if let Some(line) = queue.push(line) {
            let account = line.actor.identity().account();
            self.count(account, |counts| counts.left_out += 1);
            *self.left_out.entry((account.clone(), line.kind)).or_default() += 1;
        }
    }

    /// Merges another batch into this one, which is not bounded.
    pub(super) fn merge(&mut self, other: Self) {
        self.decisions.lines.extend(other.decisions.lines);
        self.others.lines.extend(other.others.lines);
        self.failures.merge(other.failures);
        for (log, count) in other.left_out {
            *self.left_out.entry(log).or_default() += count;
        }
        for (account, counts) in other.counts {
            self.count(&account, |sum| *sum += counts);
        }
        for (what, at) in other.last_used {
            let last = self.last_used.entry(what).or_default();
            *last = at.max(*last);
        }
    }
}
