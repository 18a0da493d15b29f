//! The honest caller, which asks for tokens and decisions at a modest pace.

use std::time::{Duration, Instant};

use gatewright_benchmarks::client::{Anyhow, exchange, request, token_request};
use gatewright_benchmarks::server::{Account, Server};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The time after which a request counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind of honest request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Token,
    Check,
    /// A check on a connection of its own: being accepted is part of the service.
    Connection,
}

impl Kind {
    /// Returns the pause after a request.
    fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Token => 20,
            Self::Check => 10,
            Self::Connection => 100,
        })
    }

    /// Returns what a response contains if the request succeeded.
    fn success(self) -> &'static str {
        match self {
            Self::Token => "\"access_token\":",
            Self::Check | Self::Connection => "\"authorizedActions\":[\"vps:apiovh:reboot\"]",
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
}

impl Honest {
    pub(crate) fn new(server: &Server, account: &Account) -> Self {
        Self { address: server.address.clone(), basic: account.basic() }
    }

    /// Sends requests of every kind for some time, on a thread of their own: what the attacker's
    /// tasks take must not be measured.
    pub(crate) fn ask(&self, time: Duration) -> JoinHandle<Anyhow<[Service; 3]>> {
        let honest = self.clone();
        tokio::task::spawn_blocking(move || {
            Builder::new_current_thread().enable_all().build()?.block_on(honest.ask_all(time))
        })
    }

    async fn ask_all(&self, time: Duration) -> Anyhow<[Service; 3]> {
        let end = Instant::now() + time;
        let token = token_request(&self.basic);
        let mut stream = TcpStream::connect(&self.address).await?;
        let said = exchange(&mut stream, &token).await?;
        let said = gatewright_benchmarks::client::body(&said)?;
        let bearer = said["access_token"].as_str().ok_or("no token")?;
        let check = request(
            "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
            &format!("Authorization: Bearer {bearer}"),
            r#"{"actions":["vps:apiovh:reboot"]}"#,
        );
        let (tokens, checks, connections) = tokio::join!(
            self.repeat(Kind::Token, &token, end),
            self.repeat(Kind::Check, &check, end),
            self.repeat(Kind::Connection, &check, end),
        );
        Ok([tokens, checks, connections])
    }

    /// Sends one request after the other, until the end.
    async fn repeat(&self, kind: Kind, request: &str, end: Instant) -> Service {
        let mut service = Service { kind, times: Vec::new(), lost: Vec::new() };
        let mut stream = None;
        while Instant::now() < end {
            let started = Instant::now();
            match timeout(PATIENCE, self.send(kind, &mut stream, request)).await {
                Ok(Ok(())) => service.times.push(started.elapsed()),
                Ok(Err(error)) => service.lost.push(error.to_string()),
                Err(_) => service.lost.push(format!("no answer within {PATIENCE:?}")),
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
        if kind != Kind::Connection {
            *kept = Some(stream);
        }
        Ok(())
    }
}
