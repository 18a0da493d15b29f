//! One turn: access is given and taken away at the near node, and the far one is asked meanwhile.

use std::fmt;
use std::time::{Duration, Instant};

use gatewright_benchmarks::client::{Anyhow, answer, body, exchange, request};
use gatewright_benchmarks::server::{Server, basic};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::node::Installation;

const ACTION: &str = "vps:apiovh:reboot";
const RESOURCE: &str = "urn:v1:eu:resource:vps:r1";

/// The time after which access that was taken away must be gone.
const PATIENCE: Duration = Duration::from_secs(120);

/// The age that no answer may have: what changes is in force within a second, or the answer is refused.
const LIMIT: Duration = Duration::from_secs(1);

/// The age that one answer in a hundred may have: the goal of 100 ms, and half as much for the turns of
/// threads on a machine that does other work.
const P99: Duration = Duration::from_millis(150);

/// The answers of the far node once access was taken away.
#[derive(Default)]
pub(crate) struct Answers {
    /// For each turn, the time from the acknowledged change to the sending of the first request
    /// that was denied or refused.
    ages: Vec<Duration>,
    /// The number of answers 503, and of all.
    refused: u64,
    all: u64,
}

impl Answers {
    /// Returns the time after which access was gone in a percentage of the turns.
    fn at(&self, percent: usize) -> Duration {
        let mut ages = self.ages.clone();
        ages.sort_unstable();
        let place = (ages.len() * percent / 100).min(ages.len().saturating_sub(1));
        ages.get(place).copied().unwrap_or_default()
    }

    /// Checks that what changed was in force in time, and that nothing was refused for want of
    /// freshness: the database is far, and does answer.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.at(100) >= LIMIT {
            return Err(format!("an answer was older than {LIMIT:?}"));
        }
        if self.at(99) >= P99 {
            return Err(format!("more than one answer in a hundred was older than {P99:?}"));
        }
        if self.refused > 0 {
            return Err(format!("{} of {} answers were refused", self.refused, self.all));
        }
        Ok(())
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent: usize| self.at(percent).as_secs_f64() * 1_000.0;
        let (turns, refused, all) = (self.ages.len(), self.refused, self.all);
        write!(
            f,
            "p50 {:.1}, p99 {:.1}, max {:.1} ms in {turns} turns, {refused} of {all} answers 503",
            at(50),
            at(99),
            at(100)
        )
    }
}

/// The connections to both nodes, and who asks.
pub(crate) struct Turns {
    near: TcpStream,
    far: TcpStream,
    administrator: String,
    caller: String,
    urn: String,
    count: usize,
}

enum Reply {
    Allowed,
    Denied,
    Refused,
}

impl Turns {
    /// Creates a service account without rights, and a token for it.
    pub(crate) async fn connect(
        installation: &Installation,
        near: &Server,
        far: &Server,
    ) -> Anyhow<Self> {
        let mut stream = near.connect().await?;
        let administrator = near.bearer(&installation.credentials()).await?;
        let path = "/v1/me/api/oauth2/client";
        let account = json!({"name": "t", "description": "t", "flow": "CLIENT_CREDENTIALS"});
        let said = post(&mut stream, path, &administrator, &account).await?;
        let (id, secret) = (text(&said, "clientId")?, text(&said, "clientSecret")?);
        let read =
            format!("GET {path}/{id} HTTP/1.1\r\nHost: localhost\r\n{administrator}\r\n\r\n");
        let urn = text(&body(&exchange(&mut stream, &read).await?)?, "identity")?;
        let caller = near.bearer(&basic(&id, &secret)).await?;
        Ok(Self { near: stream, far: far.connect().await?, administrator, caller, urn, count: 0 })
    }

    /// Gives access and takes it away at the near node; records what the far one answers.
    pub(crate) async fn take(&mut self, answers: &mut Answers) -> Anyhow<()> {
        self.count += 1;
        let policy = json!({
            "name": format!("p{}", self.count), "identities": [self.urn],
            "resources": [{"urn": RESOURCE}], "permissions": {"allow": [{"action": ACTION}]},
        });
        let made = post(&mut self.near, "/v2/iam/policy", &self.administrator, &policy).await?;
        let given = Instant::now();
        while !matches!(self.ask().await?, Reply::Allowed) {
            if given.elapsed() > PATIENCE {
                return Err("access was never given".into());
            }
        }
        let (id, administrator) = (text(&made, "id")?, &self.administrator);
        let path = format!("/v2/iam/policy/{id}");
        let delete =
            format!("DELETE {path} HTTP/1.1\r\nHost: localhost\r\n{administrator}\r\n\r\n");
        let gone = answer(&mut self.near, &delete).await?;
        if !gone.starts_with(b"HTTP/1.1 204") {
            return Err(String::from_utf8_lossy(&gone).into());
        }
        let taken = Instant::now();
        loop {
            let age = taken.elapsed();
            answers.all += 1;
            match self.ask().await? {
                Reply::Allowed if age > PATIENCE => {
                    return Err("access was never taken away".into());
                }
                Reply::Allowed => {}
                reply => {
                    answers.refused += u64::from(matches!(reply, Reply::Refused));
                    answers.ages.push(age);
                    return Ok(());
                }
            }
        }
    }

    async fn ask(&mut self) -> Anyhow<Reply> {
        let path = format!("/v2/iam/resource/{RESOURCE}/authorization/check");
        let body = json!({"actions": [ACTION]}).to_string();
        let said = answer(&mut self.far, &request(&path, &self.caller, &body)).await?;
        let said = String::from_utf8(said)?;
        if said.starts_with("HTTP/1.1 503") {
            return Ok(Reply::Refused);
        }
        let allowed = &gatewright_benchmarks::client::body(&said)?["authorizedActions"];
        let count = allowed.as_array().ok_or(said)?.len();
        Ok(if count == 1 { Reply::Allowed } else { Reply::Denied })
    }
}

async fn post(stream: &mut TcpStream, path: &str, bearer: &str, value: &Value) -> Anyhow<Value> {
    body(&exchange(stream, &request(path, bearer, &value.to_string())).await?)
}

fn text(value: &Value, key: &str) -> Anyhow<String> {
    Ok(value[key].as_str().ok_or_else(|| format!("no {key} in {value}"))?.to_owned())
}
