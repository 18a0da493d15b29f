//! The threads that talk to clients: one more than there are cores, each with connections of its
//! own.
//!
//! They share nothing that one of them would wait for, and answer whatever is answered from memory.
//! What takes longer, they pass on: so no decision waits for a page.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use axum_server::accept::NoDelayAcceptor;
use axum_server::{AddrListener, Address, Handle, Server};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::front::Front;

/// A client that sends its headers slower than this is let go.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// After a connection could not be taken, for want of a file say, the next is tried so much later.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection, on its way to the thread that keeps it.
type Handed = (std::net::TcpStream, Peer);

/// One thread.
struct Desk {
    connections: mpsc::UnboundedSender<Handed>,
    handle: Handle<Peer>,
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
        (0..count).map(|_| Desk::open(front.of_its_own())).collect::<io::Result<_>>().map(Self)
    }

    /// Takes connections, and gives them to each in turn. Does not end.
    pub(crate) async fn hand_out(&self, listener: &TcpListener) {
        for desk in self.0.iter().cycle() {
            let connection = loop {
                let accepted = listener.accept().await;
                match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, Peer(peer)))) {
                    Ok(connection) => break connection,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            };
            // It fails for a thread that has ended, which none does before it is told to.
            let _ = desk.connections.send(connection);
        }
    }

    /// Lets what is under way end, for so long at most.
    pub(crate) async fn end(&mut self, within: Duration) {
        for desk in &self.0 {
            desk.handle.graceful_shutdown(Some(within));
        }
        for desk in &mut self.0 {
            let _ = (&mut desk.ended).await;
        }
    }
}

impl Desk {
    fn open(front: Front) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, handed) = mpsc::unbounded_channel();
        let (ending, ended) = oneshot::channel();
        let (stays, leaving) = oneshot::channel::<()>();
        let handle = Handle::new();
        let mut server = Server::from_listener(Hand(Mutex::new(handed)))
            .acceptor(NoDelayAcceptor::new())
            .first_request_timeout(HEADER_TIME)
            .handle(handle.clone());
        // Nearly all answers are small: one buffer is sent with less work than a list of them.
        let builder = server.http_builder();
        builder.http1().header_read_timeout(HEADER_TIME).writev(false);
        thread::Builder::new().name("front".to_owned()).spawn(move || {
            runtime.block_on(async move {
                if let Err(error) = server.serve(front).await {
                    tracing::error!(%error, "a thread of the front has failed");
                }
                drop(ending);
                let _ = leaving.await;
            });
        })?;
        Ok(Self { connections, handle, ended, _stays: stays })
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Address for Peer {
    type Stream = TcpStream;
    type Listener = Hand;
}

/// Takes the connections that are handed to a thread.
pub(crate) struct Hand(Mutex<mpsc::UnboundedReceiver<Handed>>);

impl AddrListener<TcpStream, Peer> for Hand {
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(TcpStream, Peer)> {
        let handed = self.0.lock().await.recv().await;
        match handed {
            Some((stream, peer)) => Ok((TcpStream::from_std(stream)?, peer)),
            None => std::future::pending().await,
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
