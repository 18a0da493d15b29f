//! Follows the journal of an account over a stream from a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use gatewright_policy::{AccountName, Fact, Region, Replica};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::watch;

/// The maximum silence of a stream before it is reopened; the server sends something four times a
/// second.
const SILENCE: Duration = Duration::from_secs(2);

/// The delay before the stream is reopened after a failure.
const PAUSE: Duration = Duration::from_millis(200);

/// The settings of a decision point.
#[derive(Clone)]
pub struct Settings {
    /// The public URL of the Gatewright server to follow, without a trailing slash.
    pub url: String,
    /// The client id and the secret of the service account that follows.
    pub credentials: (String, String),
    /// The time for which decisions are made without the server; after it, the snapshot is stale.
    pub offline: Duration,
}

/// A replica, and the time when the server last confirmed it.
pub(crate) struct Snapshot {
    pub(crate) replica: Replica,
    pub(crate) at: Instant,
}

#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the server fell silent")]
    Silent,
    #[error("the server ended the stream")]
    Ended,
    #[error("the journal followed so far is not the server's")]
    Diverged,
    #[error("a fact is malformed: {0}")]
    Fact(String),
}

/// The replica under construction, and the place where its snapshots are published.
struct Follower {
    settings: Settings,
    http: Client,
    replica: Replica,
    /// True once the replica has every fact up to a revision.
    whole: bool,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    reaching: watch::Sender<i64>,
}

pub(crate) async fn follow(
    settings: Settings,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    reaching: watch::Sender<i64>,
) {
    let replica = Replica::new(Region::default(), AccountName::new(""));
    let http = Client::new();
    let mut follower = Follower { settings, http, replica, whole: false, snapshot, reaching };
    loop {
        let Err(lost) = follower.listen().await else { continue };
        tracing::warn!(%lost, "out of touch with the server");
        if matches!(lost, StreamError::Diverged | StreamError::Fact(_)) {
            // No decision may be based on a part of the facts.
            follower.snapshot.store(None);
            follower.whole = false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Follower {
    /// Applies the facts of a stream until it ends.
    async fn listen(&mut self) -> Result<(), StreamError> {
        let mut stream = self.connect().await?;
        let mut line = Vec::new();
        loop {
            let chunk = tokio::time::timeout(SILENCE, stream.chunk()).await;
            let chunk = chunk.map_err(|_| StreamError::Silent)??.ok_or(StreamError::Ended)?;
            for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    // What follows a revision in the same chunk may be part of a later one.
                    if self.apply_line(&line)? {
                        self.publish();
                    }
                    line.clear();
                }
            }
        }
    }

    async fn connect(&self) -> Result<Response, StreamError> {
        let Settings { url, credentials: (id, secret), .. } = &self.settings;
        let form = [("grant_type", "client_credentials"), ("scope", "account/all")];
        let request = self.http.post(format!("{url}/auth/oauth2/token")).timeout(SILENCE);
        let answer = request.basic_auth(id, Some(secret)).form(&form).send().await?;
        let token: Token = answer.error_for_status()?.json().await?;
        let mut request = self.http.get(format!("{url}/v2/iam/replica"));
        if self.whole {
            request = request.query(&[("after", self.replica.revision().number())]);
            request = request.query(&[("hash", self.replica.hash())]);
        }
        let response = request.bearer_auth(token.access_token).send();
        let answer =
            tokio::time::timeout(SILENCE, response).await.map_err(|_| StreamError::Silent)??;
        if answer.status() == StatusCode::BAD_REQUEST {
            return Err(StreamError::Diverged);
        }
        Ok(answer.error_for_status()?)
    }

    /// Applies a line; returns whether it completes a revision.
    fn apply_line(&mut self, line: &[u8]) -> Result<bool, StreamError> {
        let fact: Fact =
            serde_json::from_slice(line).map_err(|error| StreamError::Fact(error.to_string()))?;
        let reached = matches!(fact, Fact::Reached { .. });
        if matches!(fact, Fact::Account { .. }) {
            // The server begins anew, since its database has lost what it told.
            self.whole = false;
            self.snapshot.store(None);
        }
        self.replica.apply(fact).map_err(|error| StreamError::Fact(error.to_string()))?;
        self.whole |= reached;
        Ok(reached)
    }

    /// Publishes a snapshot, which decisions use from now on.
    fn publish(&self) {
        let replica = self.replica.clone();
        let revision = replica.revision().number();
        self.snapshot.store(Some(Arc::new(Snapshot { replica, at: Instant::now() })));
        self.reaching.send_replace(revision);
    }
}
