//! Accepts connections, and serves them on a pool of worker threads.
//!
//! There is one worker more than there are cores, each with a runtime and connections of its own.
//! Invariants:
//! - Workers share nothing that one would wait for: no lock, no counter, no reference count.
//! - A worker runs only what is answered from memory; the dispatcher offloads everything else, so
//!   no decision waits for a page, a change or the database.
//! - A worker's thread outlives its connections, until the pool is dropped: sockets of the database
//!   may be registered with its runtime.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::dispatcher::{Connection, Dispatcher};

/// A client that sends its headers slower than this is disconnected.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests in flight when the server stops have so long to complete.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// Delay before `accept` is tried again after an error, for want of a file descriptor say.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// An accepted connection, on its way to a worker.
type Accepted = (std::net::TcpStream, SocketAddr);

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
    pub(crate) fn start(dispatcher: &Dispatcher) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get) + 1;
        let workers = (0..count).map(|number| Worker::start(number, dispatcher.for_thread()));
        workers.collect::<io::Result<_>>().map(Self)
    }

    /// Accepts connections, and assigns them to the workers round-robin. Does not return.
    pub(crate) async fn accept(&self, listener: &TcpListener) {
        for worker in self.0.iter().cycle() {
            let connection = loop {
                match listener.accept().await.and_then(detach) {
                    Ok(connection) => break connection,
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection failed");
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    }
                }
            };
            // Sending fails for a worker that has ended, which none does before the shutdown.
            let _ = worker.connections.as_ref().map(|worker| worker.send(connection));
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

/// Detaches a connection from the runtime that has accepted it.
fn detach((stream, peer): (TcpStream, SocketAddr)) -> io::Result<Accepted> {
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, peer))
}

impl Worker {
    fn start(number: usize, dispatcher: Dispatcher) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, accepted) = mpsc::unbounded_channel();
        let (draining, drained) = oneshot::channel();
        let (keep_alive, released) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("acceptor-{number}")).spawn(move || {
            runtime.block_on(async move {
                serve_connections(Arc::new(dispatcher), accepted).await;
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
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().timer(TokioTimer::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    // Nearly all responses are small: one buffer is sent with less work than a list of them.
    builder.http1().writev(false);
    let shutdown = GracefulShutdown::new();
    while let Some((stream, peer)) = accepted.recv().await {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "registering a connection failed");
                continue;
            }
        };
        let connection = Arc::new(Connection::new(&dispatcher, peer));
        let (builder, watcher) = (builder.clone(), shutdown.watcher());
        tokio::spawn(async move {
            let service = service_fn(|request| Arc::clone(&connection).handle(request));
            let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
            let mut serving = pin!(serving);
            // The timeout for headers begins once the HTTP version is known. Until then, this one
            // counts; the connection also ends when the client disconnects.
            let first = poll_fn(|context| match serving.as_mut().poll(context) {
                Poll::Pending if !connection.has_received_request() => Poll::Pending,
                polled => Poll::Ready(polled),
            });
            if let Ok(Poll::Pending) = tokio::time::timeout(HEADER_TIMEOUT, first).await {
                let _ = serving.await;
            }
        });
    }
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, shutdown.shutdown()).await;
}
