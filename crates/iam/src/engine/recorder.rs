//! Records activity (logs, counts, last use) in batches, outside the path of requests.
//!
//! Invariants:
//! - Nothing that must be correct depends on it: a crash loses the last second.
//! - Each thread has a part. Its lock is held for a few instructions, never across an await, and
//!   never while another part is locked.
//! - The number of waiting lines is bounded. Counts are exact; lines beyond the bound are counted
//!   and dropped.
//! - Rows are written in one order: nodes that lock them in different orders would deadlock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use gatewright_policy::{AccountName, Decision, Identity, Instant, PolicyId};
use gatewright_store::{
    ActivityBatch, CauseChain, HourlyCount, LastUsed, LogPage, Store, StoreError,
};
use metrics::Counter;
use thread_local::ThreadLocal;
use tokio::task::JoinHandle;

use crate::model::caller::{Context, Principal};
use crate::model::idempotency_key::LIFETIME;
use crate::model::log::{Call, Line, LogKind, Reason};
use crate::model::query_id::QueryId;
use crate::sources::Sources;

/// Interval between two writes of batches to the database.
const PAUSE: Duration = Duration::from_secs(1);

/// The maximum number of log lines that wait to be written; further ones are counted and dropped.
const MOST_WAITING: usize = 10_000;

/// The number of writes between two deletions of expired log lines.
const FORGET_EVERY: u64 = 600;

/// Retention of the hourly counts, in hours.
const HOURLY_COUNTS_KEPT: i64 = 400 * 24;

/// The caller of an activity.
enum Actor {
    Principal(Arc<Principal>),
    Identity(Identity),
}

impl Actor {
    fn identity(&self) -> &Identity {
        match self {
            Self::Principal(principal) => &principal.identity,
            Self::Identity(identity) => identity,
        }
    }
}

/// A log line that is not written yet.
struct PendingLine {
    kind: LogKind,
    at: Instant,
    actor: Actor,
    ip: Option<IpAddr>,
    query_id: QueryId,
    what: String,
    on: Option<Box<str>>,
    allowed: bool,
    reason: Option<Reason>,
    policy: Option<PolicyId>,
    status: Option<u16>,
    user_agent: Option<String>,
}

impl PendingLine {
    fn line(self) -> Line {
        Line {
            at: self.at,
            who: self.actor.identity().urn().to_owned(),
            what: self.what,
            on: self.on.map(String::from),
            allowed: self.allowed,
            reason: self.reason,
            policy: self.policy,
            status: self.status,
            user_agent: self.user_agent,
            ip: self.ip.map(|ip| ip.to_string()),
            query_id: self.query_id.to_string(),
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Counts {
    tokens: i64,
    allowed: i64,
    refused: i64,
    left_out: i64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.left_out += other.left_out;
    }
}

/// A batch of activity that is not written yet; aligned, so that the parts of two threads share no
/// cache line.
#[derive(Default)]
#[repr(align(128))]
struct Pending {
    lines: Vec<PendingLine>,
    counts: HashMap<AccountName, Counts, RandomState>,
    last_used: HashMap<(AccountName, Box<str>), Instant, RandomState>,
}

impl Pending {
    fn count(&mut self, account: &AccountName, add: impl FnOnce(&mut Counts)) {
        // Most exist already, and need no key of their own.
        match self.counts.get_mut(account) {
            Some(counts) => add(counts),
            None => add(self.counts.entry(account.clone()).or_default()),
        }
    }

    /// Merges another batch into this one.
    fn merge(&mut self, other: Self) {
        self.lines.extend(other.lines);
        for (account, counts) in other.counts {
            self.count(&account, |sum| *sum += counts);
        }
        for (what, at) in other.last_used {
            let last = self.last_used.entry(what).or_default();
            *last = at.max(*last);
        }
    }
}

/// The outcome of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOutcome {
    Issued,
    Refused,
}

/// A decision to record.
pub(crate) struct RecordedDecision<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) decision: Decision<'a>,
}

/// Collects activity, and writes it to the database every second.
pub(crate) struct Recorder {
    /// Pending batches, one part for each thread, so that none contends with another.
    parts: ThreadLocal<Mutex<Pending>>,
    /// The number of log lines that wait in all parts.
    waiting: AtomicUsize,
    /// The time of the last line that was written: no two lines of a node have the same. A write
    /// holds the lock until it ends.
    last: tokio::sync::Mutex<Instant>,
    totals: Totals,
    store: Store,
    sources: Sources,
}

/// Counters for the metrics of the server.
struct Totals {
    tokens: Counter,
    allowed: Counter,
    refused: Counter,
}

impl Recorder {
    pub(crate) fn new(store: Store, sources: Sources) -> Self {
        let decisions = "gatewright_decisions_total";
        let totals = Totals {
            tokens: metrics::counter!("gatewright_tokens_issued_total"),
            allowed: metrics::counter!(decisions, "allowed" => "true"),
            refused: metrics::counter!(decisions, "allowed" => "false"),
        };
        let (parts, waiting) = (ThreadLocal::new(), AtomicUsize::new(0));
        let last = tokio::sync::Mutex::new(Instant::EPOCH);
        Self { parts, waiting, last, totals, store, sources }
    }

    /// Starts the task that writes the batches until it is aborted; `days` is the retention of log
    /// lines.
    pub(crate) fn run(self: &Arc<Self>, days: u32) -> JoinHandle<()> {
        let recorder = Arc::clone(self);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(PAUSE);
            for round in 0_u64.. {
                interval.tick().await;
                if let Err(error) = recorder.flush().await {
                    tracing::warn!(error = %CauseChain(&error), "a second of the logs is lost");
                }
                if round % FORGET_EVERY == 0
                    && let Err(error) = recorder.delete_old(days).await
                {
                    tracing::warn!(error = %CauseChain(&error), "old logs stay for now");
                }
            }
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.parts.get_or_default().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a log line, which is built only if there is room for it.
    fn add(
        &self,
        pending: &mut Pending,
        account: &AccountName,
        line: impl FnOnce() -> PendingLine,
    ) {
        if self.waiting.load(Ordering::Relaxed) >= MOST_WAITING {
            pending.count(account, |counts| counts.left_out += 1);
        } else {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            pending.lines.push(line());
        }
    }

    /// Records decisions that were made for a caller.
    pub(crate) fn record_decisions<'a>(
        &self,
        context: &Context,
        decisions: impl IntoIterator<Item = RecordedDecision<'a>>,
    ) {
        let mut pending = self.pending();
        let account = context.account();
        let (mut allowed, mut refused) = (0, 0);
        for RecordedDecision { action, resource, decision } in decisions {
            let is_allowed = decision.is_allowed();
            *(if is_allowed { &mut allowed } else { &mut refused }) += 1;
            self.add(&mut pending, account, || {
                let (reason, policy) = Reason::of(&decision);
                PendingLine {
                    kind: LogKind::Decision,
                    at: context.now,
                    actor: Actor::Principal(Arc::clone(&context.principal)),
                    ip: context.ip,
                    query_id: context.query_id,
                    what: action.to_owned(),
                    on: Some(resource.into()),
                    allowed: is_allowed,
                    reason: Some(reason),
                    policy,
                    status: None,
                    user_agent: None,
                }
            });
        }
        pending.count(account, |counts| {
            counts.allowed += allowed;
            counts.refused += refused;
        });
    }

    /// Records a token request and its outcome.
    pub(crate) fn record_token_request(
        &self,
        identity: Identity,
        scope: &str,
        outcome: TokenOutcome,
        (ip, query_id, at): (Option<IpAddr>, QueryId, Instant),
    ) {
        let mut pending = self.pending();
        let account = identity.account().clone();
        let issued = outcome == TokenOutcome::Issued;
        if issued {
            pending.count(&account, |counts| counts.tokens += 1);
        }
        self.add(&mut pending, &account, || PendingLine {
            kind: LogKind::Token,
            at,
            actor: Actor::Identity(identity),
            ip,
            query_id,
            what: scope.to_owned(),
            on: None,
            allowed: issued,
            reason: None,
            policy: None,
            status: None,
            user_agent: None,
        });
    }

    /// Records a call of the API that was answered.
    pub(crate) fn record_call(&self, context: &Context, call: Call<'_>) {
        self.add(&mut self.pending(), context.account(), || PendingLine {
            kind: LogKind::Call,
            at: context.now,
            actor: Actor::Principal(Arc::clone(&context.principal)),
            ip: context.ip,
            query_id: context.query_id,
            what: call.what,
            on: Some(call.route.into()),
            allowed: call.status < 400,
            reason: None,
            policy: None,
            status: Some(call.status),
            user_agent: call.user_agent.map(|text| text.chars().take(255).collect()),
        });
    }

    /// Records the use of an object that belongs to the account.
    pub(crate) fn record_use(&self, account: &AccountName, subject: &str, at: Instant) {
        let mut pending = self.pending();
        let last = pending.last_used.entry((account.clone(), subject.into())).or_default();
        *last = at.max(*last);
    }

    /// Takes all the activity that is not written yet out of the parts.
    fn drain(&self) -> Pending {
        let mut all = Pending::default();
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            all.merge(std::mem::take(&mut part));
        }
        self.waiting.fetch_sub(all.lines.len(), Ordering::Relaxed);
        all
    }

    /// Writes all the activity that is not written yet; fails when the database does.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        // A concurrent flush waits for the lock, and then finds everything written.
        let mut last = self.last.lock().await;
        let Pending { mut lines, counts, last_used } = self.drain();
        lines.sort_by_key(|line| line.at);
        for line in &mut lines {
            *last = line.at.max(last.saturating_add(Duration::from_micros(1)));
            line.at = *last;
        }
        let mut record = ActivityBatch { pages: pages(lines), ..ActivityBatch::default() };
        let hour = self.sources.now().hours();
        for (account, counts) in counts {
            self.totals.add(counts);
            let kinds = [
                ("token", counts.tokens),
                ("allowed", counts.allowed),
                ("refused", counts.refused),
                ("leftOut", counts.left_out),
            ];
            let kinds = kinds.into_iter().filter(|(_, count)| *count > 0);
            record.hourly_counts.extend(kinds.map(|(what, count)| HourlyCount {
                account: account.clone(),
                hour,
                what: what.to_owned(),
                count,
            }));
        }
        let usage = |((account, subject), last): ((AccountName, Box<str>), Instant)| LastUsed {
            account,
            subject: subject.into(),
            last,
        };
        record.last_used.extend(last_used.into_iter().map(usage));
        // Two nodes that lock the same rows in different orders would deadlock.
        record.hourly_counts.sort_by(|a, b| (&a.account, &a.what).cmp(&(&b.account, &b.what)));
        record.last_used.sort_by(|a, b| (&a.account, &a.subject).cmp(&(&b.account, &b.subject)));
        if record.is_empty() { Ok(()) } else { self.store.record_activity(&record).await }
    }

    /// Returns the times of last use in an account, accurate to some seconds.
    pub(crate) async fn last_used(
        &self,
        account: &AccountName,
    ) -> Result<HashMap<String, Instant>, StoreError> {
        self.flush().await?;
        let last_used = self.store.last_used(account).await?;
        Ok(last_used.into_iter().map(|one| (one.subject, one.last)).collect())
    }

    async fn delete_old(&self, days: u32) -> Result<(), StoreError> {
        let now = self.sources.now();
        self.store.delete_old_creations(now.saturating_sub(LIFETIME)).await?;
        let lines = now.saturating_sub(Duration::from_hours(24).saturating_mul(days));
        self.store.delete_old_activity(lines, now.hours() - HOURLY_COUNTS_KEPT).await.map(drop)
    }
}

impl Totals {
    fn add(&self, counts: Counts) {
        for (total, count) in [
            (&self.tokens, counts.tokens),
            (&self.allowed, counts.allowed),
            (&self.refused, counts.refused),
        ] {
            total.increment(count.unsigned_abs());
        }
    }
}

/// Groups log lines into pages, one for each log of each account.
fn pages(lines: Vec<PendingLine>) -> Vec<LogPage> {
    let mut pages: HashMap<(AccountName, LogKind), LogPage, RandomState> = HashMap::default();
    for line in lines {
        let account = line.actor.identity().account().clone();
        let (kind, at) = (line.kind, line.at);
        let Ok(text) = serde_json::to_string(&line.line()) else { continue };
        let page = pages.entry((account, kind)).or_insert_with_key(|(account, kind)| LogPage {
            account: account.clone(),
            kind: kind.as_str().to_owned(),
            first: at,
            last: at,
            lines: String::new(),
        });
        page.first = at.min(page.first);
        page.last = at.max(page.last);
        page.lines.push_str(&text);
        page.lines.push('\n');
    }
    pages.into_values().collect()
}
