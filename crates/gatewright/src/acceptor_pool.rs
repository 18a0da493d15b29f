//! Accepts connections on a thread, and serves them on a pool of worker threads.
//!
//! There is one worker more than there are cores, each with a runtime and connections of its own. The
//! thread that accepts has one as well: on the general runtime, new connections would wait for large
//! requests.
//!
//! Invariants:
//! - Workers share nothing that one would wait for, and on the path of decisions hardly anything: reference
//!   counts of views, cells of rate limits that are leased, the memory of large bodies and responses, and the
//!   count of connections, when one is opened or closed.
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
use crate::listener::{Admitted, BodyLimits, ConnectionLimits, Listener, ResponseMemory, Server};

/// Requests in flight when the server stops have so long to complete.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

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

/// The main thread's ends of the channels to the thread that accepts connections.
struct Acceptor {
    /// Dropped to stop it.
    stop: oneshot::Sender<()>,
    /// Closed once its listener is.
    closed: watch::Receiver<()>,
}

/// The pool of worker threads, and the thread that gives them connections.
pub(crate) struct AcceptorPool {
    workers: Vec<Worker>,
    acceptor: Option<Acceptor>,
}

impl AcceptorPool {
    /// Starts a worker for each core, and one more, so that no core is idle while a worker wakes
    /// up.
    pub(crate) fn start(
        dispatcher: &Dispatcher,
        limits: &(Timeouts, BodyLimits, Arc<ResponseMemory>),
    ) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get) + 1;
        let workers =
            (0..count).map(|number| Worker::start(number, dispatcher.for_thread(), limits.clone()));
        Ok(Self { workers: workers.collect::<io::Result<_>>()?, acceptor: None })
    }

    /// Starts to accept the connections of a listener.
    pub(crate) fn accept(
        &mut self,
        listener: std::net::TcpListener,
        limits: ConnectionLimits,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _registered_with_it = runtime.enter();
            Listener::new(listener, "clients", limits)?
        };
        let workers: Vec<_> =
            self.workers.iter().filter_map(|worker| worker.connections.clone()).collect();
        let (stop, stopped) = oneshot::channel();
        let (closing, closed) = watch::channel(());
        thread::Builder::new().name("acceptor".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = assign(&listener, &workers) => {}
                }
            });
            drop(closing);
        })?;
        self.acceptor = Some(Acceptor { stop, closed });
        Ok(())
    }

    /// Waits until no connection is accepted any more, though nobody has closed the listener.
    pub(crate) async fn acceptor_ended(&mut self) {
        match &mut self.acceptor {
            Some(Acceptor { closed, .. }) => drop(closed.changed().await),
            None => std::future::pending().await,
        }
    }

    /// Closes the listener: from now on, the operating system refuses connections.
    pub(crate) async fn close(&mut self) {
        if let Some(Acceptor { stop, mut closed }) = self.acceptor.take() {
            drop(stop);
            let _ = closed.changed().await;
        }
    }

    /// Shuts down gracefully, once the listener is closed: requests in flight complete, within a timeout.
    pub(crate) async fn shut_down(&mut self) {
        for worker in &mut self.workers {
            worker.connections = None;
        }
        for worker in &mut self.workers {
            let _ = (&mut worker.drained).await;
        }
    }
}

/// Accepts connections, and assigns them to the workers in turn. Does not return.
async fn assign(listener: &Listener, workers: &[mpsc::UnboundedSender<Accepted>]) {
    for worker in workers.iter().cycle() {
        let (stream, peer, admitted) = listener.accept().await;
        // Detached from the runtime that has accepted it.
        match stream.into_std() {
            // Sending fails for a worker that has ended, which none does before the shutdown.
            Ok(stream) => drop(worker.send((stream, peer, admitted))),
            Err(error) => tracing::warn!(%error, "detaching a connection failed"),
        }
    }
}

impl Worker {
    fn start(
        number: usize,
        dispatcher: Dispatcher,
        (timeouts, bodies, responses): (Timeouts, BodyLimits, Arc<ResponseMemory>),
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, accepted) = mpsc::unbounded_channel();
        let (draining, drained) = oneshot::channel();
        let (keep_alive, released) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            runtime.block_on(async move {
                let memory = (bodies.for_thread(), responses.for_thread());
                let server = Server::new(timeouts, memory, "clients");
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
