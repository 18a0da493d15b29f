//! Keeps room on the disk for the changes that must not fail when it is full, and tells the operator when
//! it is.

use std::time::Duration;

use gatewright_store::{CauseChain, Store, StoreError};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

/// Interval between two attempts to make the reserve whole.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the task that keeps the reserve whole until it is aborted.
pub(crate) fn keep_reserve(store: Store) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut interval = interval(PAUSE);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_full = false;
        loop {
            interval.tick().await;
            let filled = fill(&store).await;
            let Some(kept) = store.reserve_kept() else { return };
            // Exact up to 2^53, as any number in Prometheus' format.
            #[expect(clippy::cast_precision_loss, reason = "a disk has fewer bytes")]
            metrics::gauge!("gatewright_disk_reserve_bytes").set(kept as f64);
            match filled {
                Ok(()) if was_full => tracing::info!("there is room on the disk again"),
                Err(error) if !was_full => tracing::error!(
                    error = %CauseChain(&error),
                    kept,
                    "no room on the disk: changes are refused, but for deletions and the like"
                ),
                _ => {}
            }
            was_full = store.check_room().is_err();
        }
    })
}

/// Makes the reserve whole.
async fn fill(store: &Store) -> Result<(), StoreError> {
    if store.check_room().is_ok() {
        return Ok(());
    }
    let store = store.clone();
    // A file system may take its time.
    spawn_blocking(move || store.fill_reserve()).await.map_err(StoreError::Aborted)?
}
