//! Writes the activity of all threads in one transaction.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, Identity, Instant};
use gatewright_store::{ActivityBatch, CauseChain, HourlyCount, LastUsed, LogPage, StoreError};
use tokio::task::JoinHandle;

use super::failures::{Failures, Repeated};
use super::line::{Actor, PendingLine};
use super::pages::pages;
use super::pending::{Counts, Pending};
use super::{Recorder, Totals};
use crate::model::log::LogKind;
use crate::model::query_id::QueryId;
use crate::model::skew::is_from_future;

/// Interval between two writes of batches to the database.
const PAUSE: Duration = Duration::from_secs(1);

impl Recorder {
    /// Starts the task that writes the batches until it is aborted.
    pub(crate) fn run(self: &Arc<Self>) -> JoinHandle<()> {
        let recorder = Arc::clone(self);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(PAUSE);
            loop {
                interval.tick().await;
                if let Err(error) = recorder.flush().await {
                    tracing::warn!(error = %CauseChain(&error), "a second of the logs is lost");
                }
            }
        })
    }

    /// Takes all the activity that is not written yet out of the shards.
    fn drain(&self) -> Pending {
        let mut all = Pending::default();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            all.merge(std::mem::take(&mut shard));
        }
        all
    }

    /// Writes all the activity that is not written yet; fails when the database does.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.write(Repeated::due).await
    }

    /// Writes all the activity that is not written yet, with the failures that were only counted so
    /// far.
    pub(crate) async fn finish(&self) -> Result<(), StoreError> {
        self.write(|repeated, failures, now| {
            let mut lines = repeated.due(failures, now);
            lines.extend(repeated.all());
            lines
        })
        .await
    }

    async fn write(
        &self,
        repeated: impl FnOnce(&mut Repeated, Failures, Instant) -> Vec<PendingLine>,
    ) -> Result<(), StoreError> {
        // A concurrent flush waits for the lock, and then finds everything written.
        let mut written = self.written.lock().await;
        let Pending { decisions, others, failures, left_out, counts, last_used } = self.drain();
        let now = self.sources.now();
        let mut lines = decisions.lines;
        lines.extend(others.lines);
        let failures = repeated(&mut written.repeated, failures, now);
        failures.iter().for_each(log_failure);
        lines.extend(failures);
        lines.sort_by_key(|line| line.at);
        for (account, left_out) in &left_out {
            lines.extend(left_out.each().map(|(kind, count)| PendingLine {
                count: Some(count),
                ..self.left_out((account.clone(), kind), now)
            }));
        }
        // A clock that was ahead must not date the lines of the time after it.
        if is_from_future(written.last, now) {
            written.last = Instant::default();
        }
        for line in &mut lines {
            written.last = line.at.max(written.last.saturating_add(Duration::from_micros(1)));
            line.at = written.last;
        }
        let (mut lost, mut of_accounts) = (left_out, Pending::default());
        for line in lines.iter().filter(|line| !line.left_out) {
            let account = line.actor.identity().account();
            of_accounts.count(account, |counts| counts.left_out += 1);
            *lost.entry(account.clone()).or_default().of(line.kind) += 1;
        }
        let batch = self.batch(pages(lines), &counts, &last_used);
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.store.record_activity(&batch).await;
        if written.is_ok() {
            for counts in counts.values() {
                self.totals.add(*counts);
            }
        } else {
            // The lines are lost, but not that there were some; what is counted stays exact.
            let lost = Pending { left_out: lost, counts, last_used, ..Pending::default() };
            let mut pending = self.pending();
            pending.merge(lost);
            pending.merge(of_accounts);
        }
        written
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

    /// Builds the batch that is written in one transaction.
    fn batch(
        &self,
        pages: Vec<LogPage>,
        counts: &HashMap<AccountName, Counts, RandomState>,
        last_used: &HashMap<(AccountName, Box<str>), Instant, RandomState>,
    ) -> ActivityBatch {
        let mut batch = ActivityBatch { pages, ..ActivityBatch::default() };
        let hour = self.sources.now().hours();
        for (account, counts) in counts {
            let kinds = [
                ("token", counts.tokens),
                ("allowed", counts.allowed),
                ("refused", counts.refused),
                ("leftOut", counts.left_out),
            ];
            let kinds = kinds.into_iter().filter(|(_, count)| *count > 0);
            batch.hourly_counts.extend(kinds.map(|(what, count)| HourlyCount {
                account: account.clone(),
                hour,
                what: what.to_owned(),
                count,
            }));
        }
        batch.last_used.extend(last_used.iter().map(|((account, subject), last)| LastUsed {
            account: account.clone(),
            subject: subject.to_string(),
            last: *last,
        }));
        // Two nodes that lock the same rows in different orders would deadlock.
        batch.hourly_counts.sort_by(|a, b| (&a.account, &a.what).cmp(&(&b.account, &b.what)));
        batch.last_used.sort_by(|a, b| (&a.account, &a.subject).cmp(&(&b.account, &b.subject)));
        batch
    }

    /// Builds the line that says that lines of a log were left out.
    pub(super) fn left_out(
        &self,
        (account, kind): (AccountName, LogKind),
        now: Instant,
    ) -> PendingLine {
        let actor = Actor::Identity(Identity::account_of(self.region, &account));
        PendingLine {
            left_out: true,
            ..PendingLine::about(kind, actor, (None, QueryId::OPERATOR, now))
        }
    }
}

impl Totals {
    fn add(&self, counts: Counts) {
        for (total, count) in [
            (&self.tokens, counts.tokens),
            (&self.allowed, counts.allowed),
            (&self.refused, counts.refused),
            (&self.left_out, counts.left_out),
        ] {
            total.increment(count.unsigned_abs());
        }
    }
}

/// Tells the operator of failures, as often as a line about them is written.
fn log_failure(line: &PendingLine) {
    let identity = line.actor.identity();
    let (account, identity) = (identity.account(), identity.urn());
    let (ip, count) = (line.ip.map(tracing::field::display), line.count.unwrap_or(1));
    if line.kind == LogKind::Token {
        tracing::info!(%account, identity, ip, count, "token requests refused");
    } else {
        tracing::info!(%account, identity, ip, count, "sign-ins failed");
    }
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{ClientId, Region};
    use gatewright_testing::TestDatabase;

    use super::super::TokenOutcome;
    use super::*;
    use crate::model::caller::Principal;
    use crate::sources::Sources;
    use gatewright_store::Store;

    #[tokio::test]
    async fn a_batch_that_cannot_be_written_is_counted_and_said_to_be_missing() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        let recorder = Recorder::new(store.clone(), Sources::system(), Region::Eu);
        let account = AccountName::new("aa1-ovh");
        let client = Identity::service_account(Region::Eu, &account, &ClientId::new("EU.1"));
        let client = Arc::new(Principal::alone(client, Region::Eu));
        for _ in 0..3 {
            let origin = (None, QueryId::OPERATOR, Instant::EPOCH);
            recorder.record_token_request(&client, "all", TokenOutcome::Issued, origin);
        }
        // There is no such account yet, so that its rows are refused.
        assert!(recorder.flush().await.is_err());
        assert!(recorder.flush().await.is_err());
        let left = recorder.drain();
        assert_eq!(left.counts[&account].tokens, 3);
        assert_eq!(left.left_out[&account].each().collect::<Vec<_>>(), [(LogKind::Token, 3)]);
        assert!(left.others.lines.is_empty());
    }
}
