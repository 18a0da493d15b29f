//! A relay between a node and its database, which delays what passes or holds it back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// The treatment of the bytes that a relay takes.
#[derive(Clone, Copy)]
enum Passing {
    /// They go on after a delay.
    After(Duration),
    /// They are held, and the connections stay open.
    Held,
    /// The connections are closed, and further ones at once.
    Cut,
}

/// A relay on a port of its own, until it is dropped.
pub struct Relay {
    address: SocketAddr,
    passing: watch::Sender<Passing>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// Starts a relay to a PostgreSQL server, named by a URL with a host, a port and a database.
    pub async fn to(url: &str) -> Self {
        let server = host(url).to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (passing, changes) = watch::channel(Passing::After(Duration::ZERO));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(database) = TcpStream::connect(&server).await else { continue };
                let _ = (client.set_nodelay(true), database.set_nodelay(true));
                let (client_in, client_out) = client.into_split();
                let (database_in, database_out) = database.into_split();
                pass(client_in, database_out, changes.clone());
                pass(database_in, client_out, changes.clone());
            }
        });
        Self { address, passing, task }
    }

    /// Returns the URL of the same database by way of the relay.
    pub fn url(&self, url: &str) -> String {
        url.replace(host(url), &self.address.to_string())
    }

    /// Delays everything by the time, each way.
    pub fn delay(&self, each_way: Duration) {
        self.passing.send_replace(Passing::After(each_way));
    }

    /// Closes all connections, and each further one, until the next delay is set.
    pub fn cut(&self) {
        self.passing.send_replace(Passing::Cut);
    }

    /// Holds everything back until the next delay is set, without closing a connection.
    pub fn hold(&self) {
        self.passing.send_replace(Passing::Held);
    }
}

/// Waits until connections are to be closed.
async fn cut(passing: &mut watch::Receiver<Passing>) {
    let _ = passing.wait_for(|passing| matches!(passing, Passing::Cut)).await;
}

/// Returns the host and the port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passing: watch::Receiver<Passing>) {
    let (sender, mut waiting) = mpsc::unbounded_channel::<(Instant, Arc<[u8]>)>();
    let mut until_cut = passing.clone();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        loop {
            let count = tokio::select! {
                count = from.read(&mut buffer) => count,
                () = cut(&mut until_cut) => break,
            };
            let Ok(count) = count else { break };
            let bytes = Arc::from(buffer.get(..count).unwrap_or_default());
            if count == 0 || sender.send((Instant::now(), bytes)).is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        let mut passing = passing;
        while let Some((at, bytes)) = waiting.recv().await {
            let free = passing.wait_for(|passing| !matches!(passing, Passing::Held)).await;
            let Ok(Passing::After(delay)) = free.map(|passing| *passing) else { break };
            sleep_until(at + delay).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    });
}
