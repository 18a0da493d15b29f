//! The honest caller, which asks for tokens and decisions, and deletes policies, at a modest pace.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gatewright_benchmarks::client::{Anyhow, answer, body, exchange, request, token_request};
use gatewright_benchmarks::server::{Account, Server};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The time after which a request counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same of a deletion, which waits for the pages that a server has to show to others, and for the disk.
const PATIENCE_WITH_DELETIONS: Duration = Duration::from_secs(30);

/// A kind of honest request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Token,
    Check,
    /// A check on a connection of its own: being accepted is part of the service.
    Connection,
    /// The authorization of a request that a proxy forwards.
    ForwardAuth,
    /// A policy that is created and deleted: what takes a right away must always work.
    Deletion,
}

impl Kind {
    /// Returns the pause after a request.
    fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Token | Self::ForwardAuth => 20,
            Self::Check => 10,
            Self::Connection => 100,
            Self::Deletion => 300,
        })
    }

    /// Returns what a response contains if the request succeeded.
    fn success(self) -> &'static str {
        match self {
            Self::Token => "\"access_token\":",
            Self::Check | Self::Connection => "\"authorizedActions\":[\"vps:apiovh:reboot\"]",
            Self::ForwardAuth => "x-gatewright-identity: ",
            Self::Deletion => "\"id\":",
        }
    }

    /// Returns the time after which a request counts as lost.
    fn patience(self) -> Duration {
        if self == Self::Deletion { PATIENCE_WITH_DELETIONS } else { PATIENCE }
    }

    /// Returns whether the time of a request is held to that of quiet: a change waits for the disk, which
    /// all share.
    pub(crate) fn is_compared(self) -> bool {
        self != Self::Deletion
    }

    /// Returns the name of the requests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "tokens",
            Self::Check => "checks",
            Self::Connection => "checks on new connections",
            Self::ForwardAuth => "forwarded requests",
            Self::Deletion => "deletions",
        }
    }
}

/// The answers to the requests of one kind.
pub(crate) struct Service {
    pub(crate) kind: Kind,
    /// In rising order.
    times: Vec<Duration>,
    /// Why requests were lost.
    pub(crate) lost: Vec<String>,
}

impl Service {
    /// Returns how long a percentage of the requests took at most, in milliseconds.
    pub(crate) fn at(&self, percent: usize) -> f64 {
        let place = self.times.len() * percent / 100;
        self.times.get(place).map_or(f64::INFINITY, |time| time.as_secs_f64() * 1e3)
    }

    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }
}

/// The honest caller.
#[derive(Clone)]
pub(crate) struct Honest {
    address: String,
    basic: String,
    /// The number of measurements of one kind so far.
    runs: Arc<AtomicU32>,
}

/// The text that is replaced by the number of a request, which has as many digits.
const NUMBER: &str = "00000000";

/// The guarded API of the honest caller.
const API: &str = "honest";

impl Honest {
    /// Prepares the caller's account: its guarded API.
    pub(crate) async fn prepare(server: &Server, account: &Account) -> Anyhow<Self> {
        let honest =
            Self { address: server.address.clone(), basic: account.basic(), runs: Arc::default() };
        let get = json!({
            "x-iam-actions": [{"name": "order:honest:get"}],
            "x-iam-resource": {"type": "order", "in": "path", "name": "id"},
        });
        let document = json!({"openapi": "3.0.3", "paths": {"/orders/{id}": {"get": get}}});
        let bearer = server.bearer(&honest.basic).await?;
        let declaration = request(&format!("/v2/iam/api/{API}"), &bearer, &document.to_string());
        exchange(&mut server.connect().await?, &declaration.replacen("POST", "PUT", 1)).await?;
        Ok(honest)
    }

    /// Sends requests of every kind for some time, on a thread of their own: what the attacker's
    /// tasks take must not be measured.
    pub(crate) fn ask(&self, time: Duration) -> JoinHandle<Anyhow<Vec<Service>>> {
        let honest = self.clone();
        tokio::task::spawn_blocking(move || {
            Builder::new_current_thread().enable_all().build()?.block_on(honest.ask_all(time))
        })
    }

    async fn ask_all(&self, time: Duration) -> Anyhow<Vec<Service>> {
        let end = Instant::now() + time;
        let token = token_request(&self.basic);
        let mut stream = TcpStream::connect(&self.address).await?;
        let said = exchange(&mut stream, &token).await?;
        let said = body(&said)?;
        let bearer = said["access_token"].as_str().ok_or("no token")?;
        let bearer = format!("Authorization: Bearer {bearer}");
        let check = request(
            "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
            &bearer,
            r#"{"actions":["vps:apiovh:reboot"]}"#,
        );
        let forward = format!(
            "GET /forward-auth/nginx/{API} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\
             X-Original-Method: GET\r\nX-Original-URI: /orders/7\r\n\r\n"
        );
        let policy = json!({
            "name": format!("honest-{NUMBER}"), "identities": [],
            "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
            "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
        });
        let create = request("/v2/iam/policy", &bearer, &policy.to_string());
        let (tokens, checks, connections, forwarded, deletions) = tokio::join!(
            self.repeat(Kind::Token, &token, end),
            self.repeat(Kind::Check, &check, end),
            self.repeat(Kind::Connection, &check, end),
            self.repeat(Kind::ForwardAuth, &forward, end),
            self.repeat(Kind::Deletion, &create, end),
        );
        Ok(vec![tokens, checks, connections, forwarded, deletions])
    }

    /// Sends one request after the other, until the end.
    async fn repeat(&self, kind: Kind, request: &str, end: Instant) -> Service {
        let mut service = Service { kind, times: Vec::new(), lost: Vec::new() };
        let mut stream = None;
        // No two runs have policies of the same names: one that was lost must not fail others.
        let mut number = self.runs.fetch_add(1, Ordering::Relaxed) * 10_000;
        while Instant::now() < end {
            let started = Instant::now();
            let request = match kind {
                Kind::Deletion => Cow::from(request.replacen(NUMBER, &format!("{number:08}"), 1)),
                _ => Cow::from(request),
            };
            number += 1;
            match timeout(kind.patience(), self.send(kind, &mut stream, &request)).await {
                Ok(Ok(())) => service.times.push(started.elapsed()),
                Ok(Err(error)) => service.lost.push(error.to_string()),
                Err(_) => service.lost.push(format!("no answer within {:?}", kind.patience())),
            }
            sleep(kind.pause()).await;
        }
        service.times.sort_unstable();
        service
    }

    /// Sends a request, and keeps the connection if it succeeded and is to be used again.
    async fn send(&self, kind: Kind, kept: &mut Option<TcpStream>, request: &str) -> Anyhow<()> {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let said = exchange(&mut stream, request).await?;
        if !said.contains(kind.success()) {
            return Err(said.into());
        }
        if kind == Kind::Deletion {
            delete_policy(&mut stream, request, &said).await?;
        }
        if kind != Kind::Connection {
            *kept = Some(stream);
        }
        Ok(())
    }
}

/// Deletes the policy that a request has created, with the token of that request.
async fn delete_policy(stream: &mut TcpStream, request: &str, said: &str) -> Anyhow<()> {
    let made = body(said)?;
    let id = made["id"].as_str().ok_or("no identifier")?;
    let header = request.lines().find(|line| line.starts_with("Authorization: "));
    let bearer = header.ok_or("no token")?;
    let delete =
        format!("DELETE /v2/iam/policy/{id} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\r\n");
    let said = answer(stream, &delete).await?;
    if said.starts_with(b"HTTP/1.1 2") {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&said).into())
}
