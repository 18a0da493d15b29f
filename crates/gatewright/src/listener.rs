//! Listeners: each accepts connections up to a number, and serves them within limits of time.
//!
//! All listeners (clients', operators', Envoy's) serve their connections by the same code.

mod admission;
mod body;
mod connection;
mod http2_stream;
mod memory;
mod poll_when_woken;
mod progress;
mod refusal;
mod response_body;
mod response_memory;
mod stream;
mod unread;
mod watchdog;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service;

use crate::config::Timeouts;
use admission::Admission;
pub(crate) use admission::{Admitted, ConnectionLimits};
pub(crate) use body::BodyLimits;
pub(crate) use connection::Server;
pub(crate) use memory::Budget;
use refusal::ConnectionRefusal;
pub(crate) use response_memory::ResponseMemory;

/// Delay before `accept` is tried again after an error, for want of a file descriptor say.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// A bound listener.
pub(crate) struct Listener {
    listener: TcpListener,
    name: &'static str,
    admission: Arc<Admission>,
    refusal: ConnectionRefusal,
}

impl Listener {
    /// Creates a listener from a socket that is bound; `name` is its label in metrics.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        name: &'static str,
        limits: ConnectionLimits,
    ) -> io::Result<Self> {
        let listener = TcpListener::from_std(listener)?;
        let admission = Admission::new(limits, name);
        Ok(Self { listener, name, admission, refusal: ConnectionRefusal::new() })
    }

    /// Accepts a connection that is not one too many; those that are, are refused meanwhile.
    pub(crate) async fn accept(&self) -> (TcpStream, SocketAddr, Admitted) {
        loop {
            let (stream, peer) = self.accept_any().await;
            match self.admission.admit(peer.ip()) {
                Ok(admitted) => return (stream, peer, admitted),
                Err(excess) => {
                    tracing::debug!(listener = self.name, ?excess, "connection refused");
                    self.refusal.refuse(stream);
                }
            }
        }
    }

    /// Accepts any connection. After an error, accepting is tried again a little later.
    async fn accept_any(&self) -> (TcpStream, SocketAddr) {
        let mut is_failing = false;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => return (stream, peer),
                // The client has gone already.
                Ok(_) => {}
                Err(error) => {
                    if !is_failing {
                        tracing::warn!(%error, listener = self.name, "accepting a connection failed");
                    }
                    is_failing = true;
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// Serves a router on the current runtime, as long as the future is polled.
    pub(crate) async fn serve(self, router: Router, timeouts: Timeouts, bodies: BodyLimits) {
        // They are sent to operators and Envoys.
        let responses = ResponseMemory::new(ResponseMemory::OPERATORS, self.name);
        let server = Arc::new(Server::new(timeouts, (bodies, responses), self.name));
        // Connections end with this future: nothing tells them to complete their requests.
        let (_running, stop) = watch::channel(());
        let mut connections = JoinSet::new();
        loop {
            let (stream, _, admitted) = self.accept().await;
            let (server, router, stop) = (Arc::clone(&server), router.clone(), stop.clone());
            connections.spawn(async move {
                let handle = move |request| {
                    let mut router = router;
                    router.call(request)
                };
                server.serve((stream, &admitted), handle, stop).await;
            });
            while connections.try_join_next().is_some() {}
        }
    }
}

/// The limits that the documents name.
#[cfg(test)]
pub(crate) mod limits {
    pub(crate) use super::connection::{MAX_FIELDS, MAX_HEAD, MAX_HTTP2_HEAD, MAX_STREAMS};
    pub(crate) use super::stream::LINGER_BYTES;
    pub(crate) use super::unread::MOST_DROPPED;
}
