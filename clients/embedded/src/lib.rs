//! Gatewright's decisions in process.
//!
//! A [`Point`] follows an account's journal over a stream from a server, and answers from memory: in
//! microseconds, with the crate that the server itself decides with, and for a bounded time also when
//! the server cannot be heard. It decides about the account's service accounts and users, on what
//! belongs to the account. Its service account needs the action `account:apiovh:iam/replica/get`.

#![allow(clippy::disallowed_methods, reason = "a client library: its caller passes no clock in")]

mod follow;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use follow::Heard;
pub use follow::Settings;
pub use gatewright_policy::{Environment, Instant, Region, ReplicaRequest, ResourceUrn, Scope};

/// The server has not been heard for too long, so nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has not been heard for too long: nobody can say whether this is allowed")]
pub struct OutOfTouch;

/// An answer, and how fresh it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whether they may.
    pub allowed: bool,
    /// The revision of the account that it was decided at.
    pub revision: i64,
}

/// A decision point. It stops following when it is dropped.
pub struct Point {
    heard: Arc<ArcSwapOption<Heard>>,
    reached: watch::Receiver<i64>,
    offline: Duration,
    following: JoinHandle<()>,
}

impl Drop for Point {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Point {
    /// Begins to follow. Must be called inside a tokio runtime; until the account is known, nothing
    /// can be decided.
    pub fn open(settings: Settings) -> Self {
        let heard = Arc::new(ArcSwapOption::empty());
        let (reaching, reached) = watch::channel(-1);
        let offline = settings.offline;
        let following = tokio::spawn(follow::follow(settings, Arc::clone(&heard), reaching));
        Self { heard, reached, offline, following }
    }

    /// Decides, with what was heard not too long ago.
    pub fn decide(&self, request: &ReplicaRequest<'_>) -> Result<Answer, OutOfTouch> {
        let heard = self.heard.load();
        let heard = heard.as_ref().filter(|heard| heard.at.elapsed() <= self.offline);
        let replica = &heard.ok_or(OutOfTouch)?.replica;
        let allowed = replica.decide(request).is_some_and(|decision| decision.is_allowed());
        Ok(Answer { allowed, revision: replica.revision() })
    }

    /// Waits until a revision of the account is followed, so that a change that was just made counts.
    pub async fn reach(&self, revision: i64, within: Duration) -> Result<(), OutOfTouch> {
        let mut reached = self.reached.clone();
        let reaching = reached.wait_for(|now| *now >= revision);
        match tokio::time::timeout(within, reaching).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(OutOfTouch),
        }
    }
}

/// Reads the clock of the machine, for the environment of a request.
pub fn now() -> Instant {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::EPOCH.saturating_add(elapsed)
}
