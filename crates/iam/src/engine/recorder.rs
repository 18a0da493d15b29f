//! Records activity (logs, counts, last use) in batches, outside the path of requests.
//!
//! Invariants:
//! - Nothing that must be correct depends on it: a crash loses the last second.
//! - Each thread has a shard. Its lock is held for a few instructions, never across an await, and
//!   never while another shard is locked.
//! - The waiting lines are bounded in bytes, in each shard: decisions by themselves, so that nothing
//!   else gives way to them. Counts are exact; lines beyond an account's or a caller's share are
//!   counted and left out, and the log says how many.
//! - Rows are written in one order: nodes that lock them in different orders would deadlock.

mod decisions;
mod deletion;
mod failures;
mod line;
mod merging;
mod pages;
mod pending;
mod queue;
pub(crate) mod recording;
mod writing;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_policy::{AccountName, Identity, Instant, Region};
use gatewright_store::Store;
use metrics::Counter;
use thread_local::ThreadLocal;

use crate::model::caller::{Context, Origin, Principal};
use crate::model::limits::{LOG_TEXT_BYTES, USER_AGENT_BYTES, cut};
use crate::model::log::{Call, LogKind};
use crate::model::query_id::QueryId;
use crate::sources::Sources;
use decisions::Kept;
pub(crate) use decisions::{Decisions, RecordedDecision};
use failures::Repeated;
use line::{Actor, PendingLine};
use pending::Pending;

/// The outcome of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOutcome {
    Issued,
    Refused,
}

/// Collects activity, and writes it to the database every second.
pub(crate) struct Recorder {
    /// Pending batches, one shard for each thread, so that none contends with another.
    shards: ThreadLocal<Mutex<Pending>>,
    /// The state that the last write has left behind. A write holds the lock until it ends.
    written: tokio::sync::Mutex<Written>,
    totals: Totals,
    region: Region,
    store: Store,
    sources: Sources,
}

/// The state that a write leaves behind for the next.
#[derive(Default)]
struct Written {
    /// The time of the last line: no two lines of a node have the same.
    last: Instant,
    repeated: Repeated,
}

/// Counters for the metrics of the server.
struct Totals {
    tokens: Counter,
    allowed: Counter,
    refused: Counter,
    left_out: Counter,
    trimmed: Counter,
}

impl Recorder {
    pub(crate) fn new(store: Store, sources: Sources, region: Region) -> Self {
        let decisions = "gatewright_decisions_total";
        let totals = Totals {
            tokens: metrics::counter!("gatewright_tokens_issued_total"),
            allowed: metrics::counter!(decisions, "allowed" => "true"),
            refused: metrics::counter!(decisions, "allowed" => "false"),
            left_out: metrics::counter!("gatewright_log_lines_left_out_total"),
            trimmed: metrics::counter!("gatewright_log_bytes_trimmed_total"),
        };
        let written = tokio::sync::Mutex::default();
        Self { shards: ThreadLocal::new(), written, totals, region, store, sources }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.shards.get_or_default().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to collect the decisions for the caller of a request.
    pub(crate) fn decisions_for(&self, context: &Context) -> Decisions {
        let has_room = self.pending().decisions.may_have_room(&context.principal.identity);
        Decisions::new(if has_room { Kept::Named } else { Kept::Counted })
    }

    /// Records the decisions that were made for the caller of a request.
    pub(crate) fn record_decisions(&self, context: &Context, decisions: Decisions) {
        let (allowed, denied) = decisions.counts();
        if allowed + denied == 0 {
            return;
        }
        let mut pending = self.pending();
        let left_out = decisions.left_out();
        if left_out > 0 {
            pending.leave_out((context.account(), LogKind::Decision), left_out);
        }
        decisions.each_line(context, |line| pending.add(line));
        pending.count(context.account(), |counts| {
            counts.allowed = counts.allowed.saturating_add_unsigned(allowed);
            counts.refused = counts.refused.saturating_add_unsigned(denied);
        });
    }

    /// Records a token request and its outcome. Refused ones are counted where they repeat.
    pub(crate) fn record_token_request(
        &self,
        client: &Arc<Principal>,
        scope: &str,
        outcome: TokenOutcome,
        origin: (Option<IpAddr>, QueryId, Instant),
    ) {
        let mut pending = self.pending();
        if outcome == TokenOutcome::Issued {
            pending.count(client.account(), |counts| counts.tokens += 1);
            if !pending.others.may_have_room(&client.identity) {
                return pending.leave_out((client.account(), LogKind::Token), 1);
            }
        }
        let line = PendingLine {
            what: cut(scope, LOG_TEXT_BYTES).into_owned(),
            allowed: outcome == TokenOutcome::Issued,
            ..PendingLine::about(LogKind::Token, Actor::Principal(Arc::clone(client)), origin)
        };
        match outcome {
            TokenOutcome::Issued => pending.add(line),
            TokenOutcome::Refused => pending.failures.add(line, 1),
        }
    }

    /// Records a failed attempt to prove an identity, which is counted where it repeats.
    pub(crate) fn record_failure(&self, identity: Identity, what: &str, origin: &Origin) {
        let about = (origin.ip, origin.query_id, origin.now);
        let line = PendingLine {
            what: what.to_owned(),
            on: Some("panel".into()),
            status: Some(401),
            user_agent: Some(cut(&origin.user_agent, USER_AGENT_BYTES).into_owned()),
            ..PendingLine::about(LogKind::Call, Actor::Identity(identity), about)
        };
        self.pending().failures.add(line, 1);
    }

    /// Records a call of the API that was answered.
    pub(crate) fn record_call(&self, context: &Context, call: Call<'_>) {
        let mut what = call.what;
        if what.len() > LOG_TEXT_BYTES {
            what = cut(&what, LOG_TEXT_BYTES).into_owned();
        }
        let line = PendingLine {
            what,
            on: Some(call.route.into()),
            allowed: call.status < 400,
            status: Some(call.status),
            user_agent: call.user_agent.map(|text| cut(text, USER_AGENT_BYTES).into_owned()),
            ..PendingLine::of(LogKind::Call, context)
        };
        self.pending().add(line);
    }

    /// Records the use of an object that belongs to the account.
    pub(crate) fn record_use(&self, account: &AccountName, subject: &str, at: Instant) {
        let mut pending = self.pending();
        let last = pending.last_used.entry((account.clone(), subject.into())).or_default();
        *last = at.max(*last);
    }
}
