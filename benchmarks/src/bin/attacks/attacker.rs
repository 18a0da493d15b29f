//! The attacker: an account of its own, at an address of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright_benchmarks::client::Anyhow;
use gatewright_benchmarks::server::Account;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// The tasks of an attack; each goes on until it is stopped, or the server makes a mistake.
pub(crate) type Tasks = JoinSet<Anyhow<()>>;

/// The attacker's address, which the honest caller does not have.
const SOURCE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2)), 0);

/// The event of a connection that was made.
pub(crate) const CONNECTED: &str = "connected";

/// The pause after a connection that was refused or closed.
const PAUSE: Duration = Duration::from_millis(20);

/// The attack of one caller on a server.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Starts the tasks of the attack, which go on until they are stopped.
    pub(crate) launch: fn(&Arc<Attacker>, &mut Tasks),
    /// The answers that the attacker gets where the attack works, or is refused, and their least number:
    /// with fewer, nothing was attacked.
    pub(crate) heard: (&'static [&'static str], u64),
}

/// The attacker, for one attack.
pub(crate) struct Attacker {
    address: SocketAddr,
    pub(crate) account: Account,
    /// The account of the honest caller: its name and its client id are known to everybody.
    pub(crate) victim: Account,
    /// The number of answers of each status, and of other events.
    heard: Mutex<BTreeMap<String, u64>>,
}

impl Attacker {
    pub(crate) fn new(address: &str, account: &Account, victim: &Account) -> Anyhow<Self> {
        let (account, victim) = (account.clone(), victim.clone());
        Ok(Self { address: address.parse()?, account, victim, heard: Mutex::default() })
    }

    /// Counts an answer or another event.
    pub(crate) fn count(&self, what: impl Into<String>) {
        self.count_many(what, 1);
    }

    /// Counts events.
    pub(crate) fn count_many(&self, what: impl Into<String>, count: usize) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard.entry(what.into()).or_default() += count as u64;
    }

    /// Returns how often the attacker has heard any of some answers and events.
    pub(crate) fn has_heard(&self, what: &[&str]) -> u64 {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        what.iter().filter_map(|one| heard.get(*one)).sum()
    }

    /// Checks an answer, and counts it: refusals are right, failures are not.
    pub(crate) fn judge(&self, answer: &[u8]) -> Anyhow<u16> {
        let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        let status = digits.and_then(|digits| digits.parse().ok()).ok_or("no status")?;
        self.count(format!("{status}"));
        if status >= 500 && status != 503 {
            return Err(String::from_utf8_lossy(answer).into());
        }
        Ok(status)
    }

    /// Connects, as often as it takes.
    pub(crate) async fn connect(&self) -> TcpStream {
        self.connect_with(TcpSocket::new_v4).await
    }

    /// Connects with a socket of its own kind, as often as it takes.
    pub(crate) async fn connect_with(
        &self,
        socket: impl Fn() -> std::io::Result<TcpSocket>,
    ) -> TcpStream {
        loop {
            let connected = async {
                let socket = socket()?;
                // Ports of connections that have just ended can be used again.
                socket.set_reuseaddr(true)?;
                socket.bind(SOURCE)?;
                let stream = socket.connect(self.address).await?;
                stream.set_nodelay(true)?;
                Ok::<_, std::io::Error>(stream)
            };
            match connected.await {
                Ok(stream) => {
                    self.count(CONNECTED);
                    return stream;
                }
                Err(_) => self.pause("no connection").await,
            }
        }
    }

    /// Counts a connection that ended, and waits a little: elsewhere, the network would.
    pub(crate) async fn pause(&self, why: &str) {
        self.count(why);
        tokio::time::sleep(PAUSE).await;
    }
}

impl fmt::Display for Attacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let all = heard.iter().map(|(what, count)| format!("{what}: {count}"));
        f.write_str(&all.collect::<Vec<_>>().join(", "))
    }
}
