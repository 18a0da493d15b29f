//! Changes in other accounts, which a node must follow meanwhile.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use gatewright_benchmarks::client::Anyhow;
use gatewright_benchmarks::server::{Server, basic};
use gatewright_policy::{AccountName, Instant};
use gatewright_store::{Act, Author, Change, Content, Kind, Store};
use serde_json::json;
use tokio::task::JoinHandle;

/// The number of connections that change accounts at the same time.
const WRITERS: usize = 8;

/// The number of changes that are made.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    None,
    PerSecond(u32),
    /// As many as the database takes.
    Unlimited,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no other changes"),
            Self::PerSecond(count) => write!(f, "{count} other changes/s"),
            Self::Unlimited => f.write_str("as many other changes as the database takes"),
        }
    }
}

impl Pace {
    /// Returns the time between two changes of one writer; none if there are no changes.
    fn interval(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::PerSecond(count) => Some(Duration::from_secs(WRITERS as u64) / count),
            Self::Unlimited => Some(Duration::from_micros(1)),
        }
    }
}

/// The accounts that change.
pub(crate) struct Accounts {
    store: Store,
    names: Vec<AccountName>,
}

impl Accounts {
    /// Creates accounts, and makes the far node load them.
    pub(crate) async fn create(database: &str, far: &Server, count: usize) -> Anyhow<Self> {
        let store = Store::open(&database.parse()?).await?;
        let mut names = Vec::with_capacity(count);
        for number in 0..count {
            let name = AccountName::new(format!("cc{number}-ovh"));
            let client = format!("EU.{number:016x}");
            store.create_account(&name, &author(), &[service_account(&client)]).await?;
            far.bearer(&basic(&client, SECRET)).await?;
            names.push(name);
        }
        Ok(Self { store, names })
    }
}

const SECRET: &str = "gws_secret";

fn author() -> Author {
    let at = Instant::from_seconds(1_700_000_000);
    Author { actor: "benchmark".into(), ip: None, query_id: "0".into(), at }
}

fn service_account(id: &str) -> Change {
    let document = json!({
        "name": "benchmark", "description": "benchmark", "flow": "CLIENT_CREDENTIALS",
        "callbackUrls": [], "createdAt": author().at,
    });
    let content = Content { document: document.to_string(), ..Content::default() };
    let secret = Some(digest(&SHA256, SECRET.as_bytes()).as_ref().to_vec());
    Change { kind: Kind::Client, id: id.to_owned(), act: Act::Create { content, secret } }
}

/// Changes that are being made.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    writers: Vec<JoinHandle<Anyhow<()>>>,
}

impl Load {
    pub(crate) fn start(accounts: &Arc<Accounts>, pace: Pace) -> Self {
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writers = pace.interval().map_or_else(Vec::new, |interval| {
            let write = |number| {
                let (accounts, stop, made) = (accounts.clone(), stop.clone(), made.clone());
                tokio::spawn(async move { write(&accounts, number, interval, &stop, &made).await })
            };
            (0..WRITERS).map(write).collect()
        });
        Self { stop, made, writers }
    }

    /// Stops, and returns the number of changes that were made.
    pub(crate) async fn stop(self) -> Anyhow<u64> {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await??;
        }
        Ok(self.made.load(Ordering::Relaxed))
    }
}

/// Creates and deletes a service account in each account of one writer in turn.
async fn write(
    accounts: &Accounts,
    number: usize,
    interval: Duration,
    stop: &AtomicBool,
    made: &AtomicU64,
) -> Anyhow<()> {
    let mut ticks = tokio::time::interval(interval);
    let own = accounts.names.iter().skip(number).step_by(WRITERS);
    for (turn, name) in own.cycle().enumerate() {
        // What was created is deleted: the next load creates the same again.
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let id = format!("EU.{:016x}", 1_000_000 + WRITERS * turn + number);
        let act = Act::Delete { from: None };
        let deletion = Change { kind: Kind::Client, id: id.clone(), act };
        for change in [service_account(&id), deletion] {
            ticks.tick().await;
            accounts.store.write(name, &author(), &[change]).await?;
            made.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}
