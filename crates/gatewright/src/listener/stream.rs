//! Stream of a connection: it notes progress, and is closed so that the client can read the last
//! response.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::progress::Progress;

/// A client that goes on sending after the last response is read for so long: closing at once would
/// reset the connection, and the client might lose the response.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of bytes that are read and dropped meanwhile.
pub(crate) const LINGER_BYTES: usize = 32 << 20;

/// The bytes that a connection reads before it lets the others of its thread have their turn. A large body
/// that arrives as fast as it is read would keep them waiting, and so would thousands of small frames of
/// HTTP/2, each of which takes time of its own.
const TURN: usize = 16 << 10;

/// The bytes that are read in a turn of a lingering connection, and the time between two turns. A client
/// that goes on sending is slowed down, so that what is dropped does not take the processor: 3 MB a second
/// from each.
const LINGER_TURN: usize = 64 << 10;
const LINGER_PAUSE: Duration = Duration::from_millis(20);

/// The stream of a connection.
pub(super) struct Stream {
    stream: TcpStream,
    progress: Arc<Progress>,
    /// The bytes that were read in this turn.
    in_turn: usize,
    lingering: Option<Lingering>,
}

/// The state of a connection that is read although it is closed for writing.
struct Lingering {
    deadline: Pin<Box<Sleep>>,
    /// Waits for the next turn.
    pause: Option<Pin<Box<Sleep>>>,
    dropped: usize,
}

impl Lingering {
    fn new() -> Self {
        Self { deadline: Box::pin(tokio::time::sleep(LINGER_TIMEOUT)), pause: None, dropped: 0 }
    }

    /// Reads and drops what the client sends, until it ends or there was too much of it.
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 8192];
        while self.dropped < LINGER_BYTES {
            if self.deadline.as_mut().poll(context).is_ready() {
                break;
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            let mut in_turn = 0;
            while in_turn < LINGER_TURN {
                let mut buffer = ReadBuf::new(&mut bytes);
                match ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)) {
                    Ok(()) if !buffer.filled().is_empty() => in_turn += buffer.filled().len(),
                    Ok(()) | Err(_) => return Poll::Ready(()),
                }
                self.dropped += buffer.filled().len();
            }
            self.pause = Some(Box::pin(tokio::time::sleep(LINGER_PAUSE)));
        }
        Poll::Ready(())
    }
}

impl Stream {
    pub(super) fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress, in_turn: 0, lingering: None }
    }

    /// Notes the progress of a write.
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) if *bytes > 0 => self.progress.sent(),
            Poll::Ready(_) => {}
            Poll::Pending => self.progress.blocked(),
        }
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.in_turn >= TURN {
            self.in_turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            self.in_turn = 0;
        }
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.in_turn += bytes.len();
            self.progress.read(bytes);
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.progress.may_still_be_sending() {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(Lingering::new);
        lingering.poll(&mut this.stream, context).map(Ok)
    }
}
