//! Accepts connections, and serves them on a pool of worker threads.
//!
//! There is one worker more than there are cores, each with a runtime and connections of its own.
//! Invariants:
//! - Workers share nothing that one would wait for: no lock, no counter, no reference count; but
//!   for the count of connections, when one is opened or closed.
//! - A worker runs only what is answered from memory; the dispatcher offloads everything else, so
//!   no decision waits for a page, a change or the database.
//! - A worker's thread outlives its connections, until the pool is dropped: sockets of the database
//!   may be registered with its runtime.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Timeouts;
use crate::dispatcher::{Connection, Dispatcher};
use crate::listener::{Admitted, BodyLimits, Listener, Server};

/// Requests in flight when the server stops have so long to complete.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// An accepted connection, on its way to a worker.
type Accepted = (std::net::TcpStream, SocketAddr, Admitted);

/// The main thread's ends of the channels to one worker thread.
struct Worker {
    /// Sends accepted connections to the worker; none once it is to shut down.
    connections: Option<mpsc::UnboundedSender<Accepted>>,
    /// Closed once the worker has no connection left.
    drained: oneshot::Receiver<()>,
    /// Keeps the thread alive until it is dropped: sockets of the database may be registered with
    /// its runtime.
    _keep_alive: oneshot::Sender<()>,
}

/// The pool of worker threads.
pub(crate) struct AcceptorPool(Vec<Worker>);

impl AcceptorPool {
    /// Starts a worker for each core, and one more, so that no core is idle while a worker wakes
    /// up.
    pub(crate) fn start(
        dispatcher: &Dispatcher,
        limits: &(Timeouts, BodyLimits),
    ) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get) + 1;
        let workers =
            (0..count).map(|number| Worker::start(number, dispatcher.for_thread(), limits.clone()));
        workers.collect::<io::Result<_>>().map(Self)
    }

    /// Accepts connections, and assigns them to the workers round-robin. Does not return.
    pub(crate) async fn accept(&self, listener: &Listener) {
        for worker in self.0.iter().cycle() {
            let (stream, peer, admitted) = listener.accept().await;
            // Detached from the runtime that has accepted it.
            match (stream.into_std(), &worker.connections) {
                // Sending fails for a worker that has ended, which none does before the shutdown.
                (Ok(stream), Some(worker)) => drop(worker.send((stream, peer, admitted))),
                (Err(error), _) => tracing::warn!(%error, "detaching a connection failed"),
                (Ok(_), None) => {}
            }
        }
    }

    /// Shuts down gracefully: requests in flight complete, within a timeout.
    pub(crate) async fn shut_down(&mut self) {
        for worker in &mut self.0 {
            worker.connections = None;
        }
        for worker in &mut self.0 {
            let _ = (&mut worker.drained).await;
        }
    }
}

impl Worker {
    fn start(
        number: usize,
        dispatcher: Dispatcher,
        (timeouts, bodies): (Timeouts, BodyLimits),
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, accepted) = mpsc::unbounded_channel();
        let (draining, drained) = oneshot::channel();
        let (keep_alive, released) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("acceptor-{number}")).spawn(move || {
            runtime.block_on(async move {
                let server = Server::new(timeouts, bodies.for_thread(), "clients");
                serve_connections(Arc::new(dispatcher), Arc::new(server), accepted).await;
                drop(draining);
                let _ = released.await;
            });
        })?;
        Ok(Self { connections: Some(connections), drained, _keep_alive: keep_alive })
    }
}

/// Serves accepted connections until the channel is closed, and requests in flight have completed or
/// timed out.
async fn serve_connections(
    dispatcher: Arc<Dispatcher>,
    server: Arc<Server>,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
) {
    let (stop, running) = watch::channel(());
    while let Some((stream, peer, admitted)) = accepted.recv().await {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "registering a connection failed");
                continue;
            }
        };
        let connection = Arc::new(Connection::new(&dispatcher, peer));
        let (server, running) = (Arc::clone(&server), running.clone());
        tokio::spawn(async move {
            let handle = move |request| connection.handle(request);
            server.serve((stream, &admitted), handle, running).await;
        });
    }
    drop(running);
    stop.send_replace(());
    // Closed once no connection is left.
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, stop.closed()).await;
}
