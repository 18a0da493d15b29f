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

/// The numbers of lines that were left out of the logs of an account.
#[derive(Default, Clone, Copy)]
pub(super) struct LeftOut {
    tokens: u64,
    decisions: u64,
    calls: u64,
}

impl LeftOut {
    /// Returns the number of lines that were left out of a log.
    pub(super) fn of(&mut self, kind: LogKind) -> &mut u64 {
        match kind {
            LogKind::Token => &mut self.tokens,
            LogKind::Decision => &mut self.decisions,
            LogKind::Call => &mut self.calls,
        }
    }

    /// Returns the numbers of the logs of which lines were left out.
    pub(super) fn each(self) -> impl Iterator<Item = (LogKind, u64)> {
        let Self { tokens, decisions, calls } = self;
        let logs =
            [(LogKind::Token, tokens), (LogKind::Decision, decisions), (LogKind::Call, calls)];
        logs.into_iter().filter(|(_, lines)| *lines > 0)
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
    pub(super) left_out: HashMap<AccountName, LeftOut, RandomState>,
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

    /// Returns the queue for the lines of a log.
    pub(super) fn queue(&mut self, kind: LogKind) -> &mut Queue {
        if kind == LogKind::Decision { &mut self.decisions } else { &mut self.others }
    }

    /// Adds a log line, or counts it as left out.
    pub(super) fn add(&mut self, line: PendingLine) {
        if let Some(line) = self.queue(line.kind).push(line) {
            self.leave_out((line.actor.identity().account(), line.kind), 1);
        }
    }

    /// Counts lines that are left out of a log.
    pub(super) fn leave_out(&mut self, (account, kind): (&AccountName, LogKind), lines: u64) {
        self.count(account, |counts| {
            counts.left_out = counts.left_out.saturating_add_unsigned(lines);
        });
        match self.left_out.get_mut(account) {
            Some(left_out) => *left_out.of(kind) += lines,
            None => *self.left_out.entry(account.clone()).or_default().of(kind) += lines,
        }
    }

    /// Merges another batch into this one, which is not bounded.
    pub(super) fn merge(&mut self, other: Self) {
        self.decisions.lines.extend(other.decisions.lines);
        self.others.lines.extend(other.others.lines);
        self.failures.merge(other.failures);
        for (account, left_out) in other.left_out {
            let sum = self.left_out.entry(account).or_default();
            left_out.each().for_each(|(kind, lines)| *sum.of(kind) += lines);
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
