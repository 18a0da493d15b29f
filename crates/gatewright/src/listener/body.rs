//! Body of a request, received within limits of time and memory, and given back where nobody reads
//! it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// The parts of the time for a body, in each of which something of it must arrive.
const PARTS: u32 = 3;

/// The bytes of each body that need no memory from the common budget: a token request is never
/// refused because of others' bodies.
const FREE: usize = 4 << 10;

/// The unit of the budget, in bytes.
const UNIT: usize = 1 << 10;

/// The limits of the bodies of requests.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimits {
    /// The time for one body.
    timeout: Duration,
    budget: Arc<Budget>,
}

/// The memory for all bodies together. Each thread counts references to its own clone: a small body
/// writes nothing that threads share.
#[derive(Debug, Clone)]
struct Budget(Arc<Semaphore>);

impl BodyLimits {
    /// Creates the limits: the time for each body, and the bytes of all together.
    pub(crate) fn new(timeout: Duration, memory: usize) -> Self {
        let units = (memory / UNIT).min(Semaphore::MAX_PERMITS);
        Self { timeout, budget: Arc::new(Budget(Arc::new(Semaphore::new(units)))) }
    }

    /// Returns the same limits for another thread.
    pub(crate) fn for_thread(&self) -> Self {
        Self { timeout: self.timeout, budget: Arc::new(Budget::clone(&self.budget)) }
    }
}

/// The body of a request.
pub(crate) struct RequestBody<B> {
    /// None once it has ended.
    body: Option<B>,
    /// None if it is empty.
    receipt: Option<Receipt<B>>,
}

/// The receipt of a body that is not empty.
struct Receipt<B> {
    timer: Timer,
    memory: Memory,
    /// Where the remains go when the body is dropped.
    remains: Slot<B>,
}

/// Where a body leaves what remains of it.
type Slot<B> = Arc<Mutex<Option<Remains<B>>>>;

/// What remains of a body after its reader.
pub(super) struct Remains<B> {
    /// The rest, if it was not read to its end.
    pub(super) unread: Option<B>,
    /// The memory of what was read, until the request is answered.
    _memory: Option<OwnedSemaphorePermit>,
}

/// Gives the remains of a body that its reader has dropped.
pub(super) struct Reader<B>(Option<Slot<B>>);

impl<B> Reader<B> {
    /// Returns what remains of the body; none if it was empty.
    pub(super) fn remains(self) -> Option<Remains<B>> {
        self.0?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B: HttpBody> RequestBody<B> {
    /// Wraps a body; returns the reader of its remains as well.
    pub(super) fn new(body: B, limits: &BodyLimits) -> (Self, Reader<B>) {
        let receipt = (!body.is_end_stream()).then(|| Receipt {
            timer: Timer::new(limits.timeout),
            memory: Memory::new(&limits.budget),
            remains: Slot::default(),
        });
        let reader = Reader(receipt.as_ref().map(|receipt| Arc::clone(&receipt.remains)));
        (Self { body: Some(body), receipt }, reader)
    }
}

impl<B> Drop for RequestBody<B> {
    fn drop(&mut self) {
        if let Some(Receipt { memory, remains, .. }) = &mut self.receipt {
            let left = Remains { unread: self.body.take(), _memory: memory.held.take() };
            *remains.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
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
        let (Some(body), Some(receipt)) = (&mut this.body, &mut this.receipt) else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                receipt.timer.has_progressed = true;
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Poll::Ready(Some(receipt.memory.take(bytes).map(|()| frame)))
            }
            Poll::Ready(ended) => {
                this.body = None;
                Poll::Ready(ended.map(|error| error.map_err(Into::into)))
            }
            Poll::Pending if receipt.timer.has_expired(context) => {
                refuse("time");
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

/// Counts a body that is refused because of a limit.
fn refuse(reason: &'static str) {
    metrics::counter!("gatewright_request_bodies_refused_total", "reason" => reason).increment(1);
}

/// The memory of a body, of the common budget.
struct Memory {
    budget: Arc<Budget>,
    received: usize,
    held: Option<OwnedSemaphorePermit>,
}

impl Memory {
    fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), received: 0, held: None }
    }

    /// Takes memory for more bytes.
    fn take(&mut self, bytes: usize) -> Result<(), BoxError> {
        self.received += bytes;
        let needed = self.received.saturating_sub(FREE).div_ceil(UNIT);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(needed.saturating_sub(held)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        // Waiting for others' bodies would make one slow client hold all.
        let Ok(permit) = Arc::clone(&self.budget.0).try_acquire_many_owned(more) else {
            refuse("memory");
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded).into());
        };
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
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
