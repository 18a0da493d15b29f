//! The threads that talk to clients: one more than there are cores, each with connections of its
//! own.
//!
//! They share nothing that one of them would wait for, and answer whatever is answered from memory.
//! What takes longer, they pass on: so no decision waits for a page.

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

use crate::front::{Connection, Front};

/// A client that sends its headers slower than this is let go.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// What is under way when the server stops has so long to end.
const STOP_TIME: Duration = Duration::from_secs(20);

/// After a connection could not be taken, for want of a file say, the next is tried so much later.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection, on its way to the thread that keeps it.
type Handed = (std::net::TcpStream, SocketAddr);

/// One thread.
struct Desk {
    /// Where connections are handed to it; none once it is to end.
    connections: Option<mpsc::UnboundedSender<Handed>>,
    /// Closed once no connection is left.
    ended: oneshot::Receiver<()>,
    /// The thread stays until this is dropped: the database may be heard through it.
    _stays: oneshot::Sender<()>,
}

/// All of them.
pub(crate) struct Fronts(Vec<Desk>);

impl Fronts {
    /// Starts one for each core, and one more: so that no core is idle while a thread whose connections
    /// are all silent is woken again.
    pub(crate) fn open(front: &Front) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get) + 1;
        (0..count).map(|_| Desk::open(front.another())).collect::<io::Result<_>>().map(Self)
    }

    /// Takes connections, and gives them to each in turn. Does not end.
    pub(crate) async fn hand_out(&self, listener: &TcpListener) {
        for desk in self.0.iter().cycle() {
            let connection = loop {
                match listener.accept().await.and_then(made_ready) {
                    Ok(connection) => break connection,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            };
            // It fails for a thread that has ended, which none does before it is told to.
            let _ = desk.connections.as_ref().map(|desk| desk.send(connection));
        }
    }

    /// Lets what is under way end, for some time at most.
    pub(crate) async fn end(&mut self) {
        for desk in &mut self.0 {
            desk.connections = None;
        }
        for desk in &mut self.0 {
            let _ = (&mut desk.ended).await;
        }
    }
}

fn made_ready((stream, peer): (TcpStream, SocketAddr)) -> io::Result<Handed> {
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, peer))
}

impl Desk {
    fn open(front: Front) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, handed) = mpsc::unbounded_channel();
        let (ending, ended) = oneshot::channel();
        let (stays, leaving) = oneshot::channel::<()>();
        thread::Builder::new().name("front".to_owned()).spawn(move || {
            runtime.block_on(async move {
                attend(Arc::new(front), handed).await;
                drop(ending);
                let _ = leaving.await;
            });
        })?;
        Ok(Self { connections: Some(connections), ended, _stays: stays })
    }
}

/// Keeps the connections that are handed over, until no more can be, and what is under way has
/// ended or had its time.
async fn attend(front: Arc<Front>, mut handed: mpsc::UnboundedReceiver<Handed>) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().timer(TokioTimer::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    // Nearly all answers are small: one buffer is sent with less work than a list of them.
    builder.http1().writev(false);
    let shutdown = GracefulShutdown::new();
    while let Some((stream, peer)) = handed.recv().await {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be kept");
                continue;
            }
        };
        let connection = Arc::new(Connection::new(&front, peer));
        let (builder, watcher) = (builder.clone(), shutdown.watcher());
        tokio::spawn(async move {
            let service = service_fn(|request| Arc::clone(&connection).answer(request));
            let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
            let mut serving = pin!(serving);
            // The time for headers begins once it is known which HTTP they are in: until then this
            // counts, and ends with the connection where the client goes away.
            let first = poll_fn(|context| match serving.as_mut().poll(context) {
                Poll::Pending if !connection.has_asked() => Poll::Pending,
                polled => Poll::Ready(polled),
            });
            if let Ok(Poll::Pending) = tokio::time::timeout(HEADER_TIME, first).await {
                let _ = serving.await;
            }
        });
    }
    let _ = tokio::time::timeout(STOP_TIME, shutdown.shutdown()).await;
}
