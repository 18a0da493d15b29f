//! Body of a request, received within limits of time, and given back where nobody reads it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The parts of the time for a body, in each of which something of it must arrive.
const PARTS: u32 = 3;

/// The body of a request.
pub(crate) struct RequestBody<B: Unpin> {
    /// None once it has ended.
    body: Option<B>,
    timer: Timer,
    /// Where the body goes when it is dropped before its end; none if it is empty.
    unread: Option<Unread<B>>,
}

/// The body that a handler has left unread.
pub(super) struct Unread<B>(Arc<Mutex<Option<B>>>);

impl<B> Clone for Unread<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> Unread<B> {
    /// Takes the body, if it was left unread.
    pub(super) fn take(&self) -> Option<B> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B: HttpBody + Unpin> RequestBody<B> {
    /// Wraps a body that must arrive within a time; returns where it is found if it is left unread.
    pub(super) fn new(body: B, limit: Duration) -> (Self, Option<Unread<B>>) {
        let unread = (!body.is_end_stream()).then(|| Unread(Arc::default()));
        (Self { body: Some(body), timer: Timer::new(limit), unread: unread.clone() }, unread)
    }
}

impl<B: Unpin> Drop for RequestBody<B> {
    fn drop(&mut self) {
        if let (Some(unread), Some(body)) = (&self.unread, self.body.take()) {
            *unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl<B> HttpBody for RequestBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                this.timer.has_progressed = true;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(ended) => {
                this.body = None;
                Poll::Ready(ended.map(|error| error.map_err(Into::into)))
            }
            Poll::Pending if this.timer.has_expired(context) => {
                let error =
                    io::Error::new(io::ErrorKind::TimedOut, "the body did not arrive in time");
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

/// The timer of a body, which begins when the body is waited for first.
struct Timer {
    /// A part of the time.
    part: Duration,
    /// The end of the current part.
    end: Option<Pin<Box<Sleep>>>,
    parts: u32,
    /// True if something has arrived in the current part.
    has_progressed: bool,
}

impl Timer {
    fn new(limit: Duration) -> Self {
        Self { part: limit / PARTS, end: None, parts: 0, has_progressed: false }
    }

    /// Checks whether the time is over, or a whole part of it without progress.
    fn has_expired(&mut self, context: &mut Context<'_>) -> bool {
        let part = self.part;
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(part)));
        while end.as_mut().poll(context).is_ready() {
            self.parts += 1;
            if self.parts >= PARTS || !self.has_progressed {
                return true;
            }
            self.has_progressed = false;
            let next: Instant = end.deadline() + part;
            end.as_mut().reset(next);
        }
        false
    }
}
