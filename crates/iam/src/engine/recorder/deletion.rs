//! Deletes the lines of logs that are too old, beside the task that writes.

use std::sync::Arc;
use std::time::Duration;

use gatewright_store::{CauseChain, StoreError};
use tokio::task::JoinHandle;

use super::Recorder;
use crate::model::idempotency_key::LIFETIME;

/// Interval between two deletions of old lines.
const DELETE_OLD_EVERY: Duration = Duration::from_mins(10);

/// Retention of the hourly counts, in hours.
const HOURLY_COUNTS_KEPT: i64 = 400 * 24;

impl Recorder {
    /// Starts the task that deletes lines after so many days until it is aborted.
    pub(crate) fn run_deletion(self: &Arc<Self>, days: u32) -> JoinHandle<()> {
        let recorder = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                if let Err(error) = recorder.delete_old(days).await {
                    tracing::warn!(error = %CauseChain(&error), "old logs stay for now");
                }
                tokio::time::sleep(DELETE_OLD_EVERY).await;
            }
        })
    }

    async fn delete_old(&self, days: u32) -> Result<(), StoreError> {
        let now = self.sources.now();
        self.store.delete_old_creations(now.saturating_sub(LIFETIME)).await?;
        let lines = now.saturating_sub(Duration::from_hours(24).saturating_mul(days));
        self.store.delete_old_activity(lines, now.hours() - HOURLY_COUNTS_KEPT).await.map(drop)
    }
}
