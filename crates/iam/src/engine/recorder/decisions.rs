//! The decisions of one request: a line for each if they are few, else one for all that were
//! allowed and one for all that were denied.

use gatewright_policy::{Decision, PolicyId};
use smallvec::SmallVec;

use super::line::PendingLine;
use crate::model::caller::Context;
use crate::model::limits::{LOG_TEXT_BYTES, cut};
use crate::model::log::{LogKind, Reason};

/// A decision to record.
pub(crate) struct RecordedDecision<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) decision: Decision<'a>,
}

/// The number of decisions of each outcome that are named.
const NAMED: usize = 4;

/// A decision that is named.
struct Named {
    action: String,
    resource: Box<str>,
    reason: Reason,
    policy: Option<PolicyId>,
}

/// The decisions of a request with one outcome.
#[derive(Default)]
struct Outcome {
    count: u64,
    named: SmallVec<[Named; 1]>,
}

/// The detail in which decisions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// The first of each outcome, for lines in the log.
    Named,
    /// Their number alone, since the log has no room.
    Counted,
}

/// The decisions of a request for one caller.
pub(crate) struct Decisions {
    kept: Kept,
    allowed: Outcome,
    denied: Outcome,
}

impl Outcome {
    /// Returns the number of lines about the decisions.
    fn lines(&self) -> u64 {
        if self.count <= NAMED as u64 { self.count } else { 1 }
    }
}

impl Decisions {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept, allowed: Outcome::default(), denied: Outcome::default() }
    }

    /// Adds a decision.
    pub(crate) fn add(
        &mut self,
        RecordedDecision { action, resource, decision }: RecordedDecision<'_>,
    ) {
        let outcome = if decision.is_allowed() { &mut self.allowed } else { &mut self.denied };
        outcome.count += 1;
        if self.kept == Kept::Named && outcome.named.len() < NAMED {
            let (reason, policy) = Reason::of(&decision);
            outcome.named.push(Named {
                action: cut(action, LOG_TEXT_BYTES).into_owned(),
                resource: cut(resource, LOG_TEXT_BYTES).into(),
                reason,
                policy,
            });
        }
    }

    /// Returns the numbers of decisions that allowed and that denied.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.allowed.count, self.denied.count)
    }

    /// Returns the number of lines that are left out, where nothing was kept for them.
    pub(super) fn left_out(&self) -> u64 {
        match self.kept {
            Kept::Named => 0,
            Kept::Counted => self.allowed.lines() + self.denied.lines(),
        }
    }

    /// Calls a function with each line.
    pub(super) fn each_line(self, context: &Context, mut add: impl FnMut(PendingLine)) {
        if self.kept == Kept::Counted {
            return;
        }
        for (outcome, allowed) in [(self.allowed, true), (self.denied, false)] {
            let line = |named: Named| PendingLine {
                what: named.action,
                on: Some(named.resource),
                allowed,
                reason: Some(named.reason),
                policy: named.policy,
                ..PendingLine::of(LogKind::Decision, context)
            };
            if outcome.count <= NAMED as u64 {
                outcome.named.into_iter().for_each(|named| add(line(named)));
                continue;
            }
            let what = all(outcome.named.iter().map(|named| named.action.as_str()));
            let on = all(outcome.named.iter().map(|named| &*named.resource));
            let Some(first) = outcome.named.into_iter().next() else { continue };
            add(PendingLine {
                what,
                on: Some(on.into()),
                count: Some(outcome.count),
                ..line(first)
            });
        }
    }
}

/// Lists texts, each once, and says that there are more.
fn all<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut once: SmallVec<[&str; NAMED]> = SmallVec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    cut(&(once.join(" ") + " …"), LOG_TEXT_BYTES).into_owned()
}
