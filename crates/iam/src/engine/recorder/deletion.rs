//! Deletes the lines of logs that are too old, or beyond the size of their log: in small steps with
//! pauses, beside the task that writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::AccountName;
use gatewright_store::{CauseChain, LogSize, StoreError};
use tokio::task::JoinHandle;

use super::{PendingLine, Recorder};
use crate::model::idempotency_key::LIFETIME;
use crate::model::log::LogKind;
use crate::model::settings::LogSizes;

/// The time between two checks of the sizes of logs.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// The number of these checks between two deletions of old lines.
const DELETE_OLD_EVERY: u64 = 20;

/// The time between two steps of a deletion, in which others write.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// Retention of the hourly counts, in hours.
const HOURLY_COUNTS_KEPT: i64 = 400 * 24;

impl Recorder {
    /// Starts the task that keeps the logs within their days and sizes until it is aborted.
    pub(crate) fn run_deletion(self: &Arc<Self>, days: u32, sizes: LogSizes) -> JoinHandle<()> {
        let recorder = Arc::clone(self);
        tokio::spawn(async move {
            for round in 0_u64.. {
                if round.is_multiple_of(DELETE_OLD_EVERY)
                    && let Err(error) = recorder.delete_old(days).await
                {
                    tracing::warn!(error = %CauseChain(&error), "old logs stay for now");
                }
                if let Err(error) = recorder.trim(sizes).await {
                    tracing::warn!(error = %CauseChain(&error), "large logs stay for now");
                }
                tokio::time::sleep(TRIM_EVERY).await;
            }
        })
    }

    async fn delete_old(&self, days: u32) -> Result<(), StoreError> {
        // While the clock is in doubt, nothing is known to be old.
        let Some(now) = self.sources.settled() else { return Ok(()) };
        self.store.delete_old_creations(now.saturating_sub(LIFETIME)).await?;
        self.store.delete_old_counts(now.hours() - HOURLY_COUNTS_KEPT).await?;
        let lines = now.saturating_sub(Duration::from_hours(24).saturating_mul(days));
        while self.store.delete_old_lines(lines).await? {
            tokio::time::sleep(STEP_PAUSE).await;
        }
        Ok(())
    }

    /// Deletes the oldest lines of logs that are too large, and says how much that was.
    async fn trim(&self, sizes: LogSizes) -> Result<(), StoreError> {
        let mut trimmed = BTreeMap::<(AccountName, String), i64>::new();
        let done = loop {
            match self.store.trim_logs((sizes.each, sizes.all)).await {
                Ok(Some(LogSize { account, kind, bytes })) => {
                    *trimmed.entry((account, kind)).or_default() += bytes;
                }
                done => break done.map(drop),
            }
            tokio::time::sleep(STEP_PAUSE).await;
        };
        for ((account, kind), bytes) in trimmed {
            tracing::info!(%account, kind, bytes, "the oldest lines of a large log were deleted");
            self.totals.trimmed.increment(bytes.unsigned_abs());
            let Some(kind) = LogKind::of_name(&kind) else { continue };
            let what = format!("{bytes} bytes of older lines");
            let line = self.left_out((account, kind), self.sources.now());
            self.pending().add(PendingLine { what, ..line });
        }
        done
    }
}
