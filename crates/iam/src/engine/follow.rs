//! Follows the changes that other nodes commit.
//!
//! Invariants: a heartbeat is recorded only after all notifications before it have been applied,
//! and after a new connection only once all views have been renewed.

use std::sync::Arc;
use std::time::Duration;

use gatewright_store::{CauseChain, Listener, Notice};
use tokio::task::JoinHandle;

use crate::engine::views::Views;
use crate::model::error::IamError;

/// Interval between the heartbeats of a node, by which all nodes notice a connection that is lost.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(250);

/// Maximum time without a notification, after which a node reconnects its listener.
const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(1);

/// Background tasks that are aborted when this is dropped.
pub(crate) struct Following(Vec<JoinHandle<()>>);

impl Drop for Following {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Views {
    /// Starts to follow the other nodes, where the database can have some; fails when the first
    /// connection does.
    pub(crate) async fn follow(self: &Arc<Self>) -> Result<Following, IamError> {
        let Some(listener) = self.store.listen().await? else {
            return Ok(Following(Vec::new()));
        };
        self.expect_peers();
        let views = Arc::clone(self);
        let listening = tokio::spawn(async move {
            let mut listener = Some(listener);
            loop {
                let next = match listener.take() {
                    Some(listener) => Ok(Some(listener)),
                    None => views.store.listen().await,
                };
                let outcome = match next {
                    Ok(Some(listener)) => views.apply_notices(listener).await,
                    Ok(None) => return,
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = outcome {
                    tracing::warn!(error = %CauseChain(&error), "cannot listen to the database; reading through");
                    tokio::time::sleep(HEARTBEAT_INTERVAL).await;
                }
            }
        });
        let views = Arc::clone(self);
        let heartbeat = tokio::spawn(async move {
            let mut interval = tokio::time::interval(HEARTBEAT_INTERVAL);
            loop {
                interval.tick().await;
                if let Err(error) = views.store.send_heartbeat().await {
                    tracing::debug!(error = %CauseChain(&error), "a heartbeat could not be sent");
                }
            }
        });
        Ok(Following(vec![listening, heartbeat]))
    }

    /// Applies notifications until the connection is lost.
    async fn apply_notices(&self, mut listener: Listener) -> Result<(), IamError> {
        self.refresh_all().await?;
        self.record_heartbeat();
        while let Ok(notice) = tokio::time::timeout(NOTIFICATION_TIMEOUT, listener.next()).await {
            if let Notice::Changed { account, revision, resources } = notice? {
                self.changed_elsewhere.notify_one();
                if resources {
                    self.resources_moved();
                }
                if !self.has_reached(&account, revision) {
                    self.refresh(&account).await?;
                }
            }
            self.record_heartbeat();
        }
        let seconds = NOTIFICATION_TIMEOUT.as_secs();
        tracing::warn!(seconds, "no notification from the database; connecting again");
        Ok(())
    }
}
