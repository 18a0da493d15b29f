//! Following a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use gatewright_policy::{Fact, Region, Replica};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::watch;

/// The server says something four times a second; after this silence it is request anew.
const SILENCE: Duration = Duration::from_secs(2);

/// After a failure it is request again so soon.
const PAUSE: Duration = Duration::from_millis(200);

/// Whom to follow, and in whose name.
#[derive(Clone)]
pub struct Settings {
    /// The public URL of a Gatewright, without a slash at its end.
    pub url: String,
    /// The identifier and the secret of the service account that follows.
    pub credentials: (String, String),
    /// For so long it answers from what it last heard.
    pub offline: Duration,
}

/// What was heard, and when.
pub(crate) struct Heard {
    pub(crate) replica: Replica,
    pub(crate) at: Instant,
}

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the server fell silent")]
    Silent,
    #[error("the server ended the stream")]
    Ended,
    #[error("what was followed so far is not what the server knows")]
    Strayed,
    #[error("a fact cannot be read: {0}")]
    Fact(String),
}

/// What is known, as it grows.
struct Follower {
    settings: Settings,
    http: Client,
    replica: Replica,
    /// Whether everything up to a revision is known.
    whole: bool,
    heard: Arc<ArcSwapOption<Heard>>,
    reaching: watch::Sender<i64>,
}

pub(crate) async fn follow(
    settings: Settings,
    heard: Arc<ArcSwapOption<Heard>>,
    reaching: watch::Sender<i64>,
) {
    let replica = Replica::new(Region::default(), "");
    let http = Client::new();
    let mut follower = Follower { settings, http, replica, whole: false, heard, reaching };
    loop {
        let Err(lost) = follower.listen().await else { continue };
        tracing::warn!(%lost, "out of touch with the server");
        if matches!(lost, Lost::Strayed | Lost::Fact(_)) {
            // What is half known must not be decided by.
            follower.heard.store(None);
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
    /// Takes in what the server says until it says no more.
    async fn listen(&mut self) -> Result<(), Lost> {
        let mut stream = self.connect().await?;
        let mut line = Vec::new();
        loop {
            let chunk = tokio::time::timeout(SILENCE, stream.chunk()).await;
            let chunk = chunk.map_err(|_| Lost::Silent)??.ok_or(Lost::Ended)?;
            // A revision is shown to others once all of a chunk is taken in.
            let mut reached = false;
            for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    reached |= self.take_in(&line)?;
                    line.clear();
                }
            }
            if reached {
                self.show();
            }
        }
    }

    async fn connect(&self) -> Result<Response, Lost> {
        let Settings { url, credentials: (id, secret), .. } = &self.settings;
        let form = [("grant_type", "client_credentials"), ("scope", "account/all")];
        let request = self.http.post(format!("{url}/auth/oauth2/token")).timeout(SILENCE);
        let answer = request.basic_auth(id, Some(secret)).form(&form).send().await?;
        let token: Token = answer.error_for_status()?.json().await?;
        let mut request = self.http.get(format!("{url}/v2/iam/replica"));
        if self.whole {
            request = request.query(&[("after", self.replica.revision())]);
        }
        let response = request.bearer_auth(token.access_token).send();
        let answer = tokio::time::timeout(SILENCE, response).await.map_err(|_| Lost::Silent)??;
        if answer.status() == StatusCode::BAD_REQUEST {
            return Err(Lost::Strayed);
        }
        Ok(answer.error_for_status()?)
    }

    /// Takes in a line; whether it says that a revision is reached.
    fn take_in(&mut self, line: &[u8]) -> Result<bool, Lost> {
        let fact: Fact =
            serde_json::from_slice(line).map_err(|error| Lost::Fact(error.to_string()))?;
        let reached = matches!(fact, Fact::Reached { .. });
        if matches!(fact, Fact::Account { .. }) {
            self.whole = false;
        }
        self.replica.apply(fact).map_err(|error| Lost::Fact(error.to_string()))?;
        self.whole |= reached;
        Ok(reached)
    }

    /// From now on it is decided by what is known now.
    fn show(&self) {
        let replica = self.replica.clone();
        let revision = replica.revision();
        self.heard.store(Some(Arc::new(Heard { replica, at: Instant::now() })));
        self.reaching.send_replace(revision);
    }
}
