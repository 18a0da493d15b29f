//! Body of a request, received within limits of time and memory, and given back where nobody reads
//! it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use axum::http::{Request, Version, request};
use gatewright_iam::AuthenticationMark;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::memory::{Budget, HeldBodyMemory, Memory, Pools};

/// The parts of the time for a body, in each of which something of it must arrive.
const PARTS: u32 = 3;

/// The bytes of each body that need no memory from the pools: a token request is never refused
/// because of others' bodies. On HTTP/2 one connection has many bodies, so only those of trusted
/// proxies have them.
const FREE: usize = 4 << 10;

/// The size of a head on HTTP/2 that needs no memory either.
const FREE_HEAD: usize = 1 << 10;

/// The limits of the bodies of requests.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimits {
    /// The time for one body.
    timeout: Duration,
    /// The memory for all bodies together. Each thread counts references to a clone of its own, so
    /// that a small body writes nothing that threads share.
    pools: Arc<Pools>,
}

impl BodyLimits {
    /// Creates the limits: the time for each body, and the bytes of all together.
    pub(crate) fn new(timeout: Duration, budget: Budget) -> Self {
        Self { timeout, pools: Arc::new(Pools::new(budget)) }
    }

    /// Returns the same limits for another thread.
    pub(crate) fn for_thread(&self) -> Self {
        Self { timeout: self.timeout, pools: Arc::new(Pools::clone(&self.pools)) }
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
    /// None if the announced length needs none.
    memory: Option<Memory>,
    /// The slot that takes the body when it is dropped.
    unread: Slot<B>,
}

/// The slot that takes a body that its handler has dropped.
type Slot<B> = Arc<Mutex<Option<UnreadBody<B>>>>;

/// A body that its handler has dropped, as far as it was not read.
pub(super) struct UnreadBody<B> {
    /// None if it was read to its end.
    pub(super) body: Option<B>,
    /// The memory of what was read, until the request is answered.
    _memory: Option<HeldBodyMemory>,
}

/// Receives a body that its handler has dropped.
pub(super) struct UnreadBodyReceiver<B>(Option<Slot<B>>);

impl<B> UnreadBodyReceiver<B> {
    /// Returns what the handler left of the body; none if it was empty.
    pub(super) fn receive(self) -> Option<UnreadBody<B>> {
        self.0?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B: HttpBody> RequestBody<B> {
    /// Wraps the body of a request, from a network whose memory is limited or from a trusted proxy;
    /// returns the receiver of what is left unread as well.
    pub(super) fn wrap(
        request: Request<B>,
        limits: &BodyLimits,
        network: Option<&Arc<Pools>>,
    ) -> (Request<Self>, UnreadBodyReceiver<B>) {
        let (mut head, body) = request.into_parts();
        let receipt = (!body.is_end_stream()).then(|| Receipt {
            timer: Timer::new(limits.timeout),
            memory: memory(&mut head, body.size_hint().upper(), limits, network),
            unread: Slot::default(),
        });
        let receiver =
            UnreadBodyReceiver(receipt.as_ref().map(|receipt| Arc::clone(&receipt.unread)));
        (Request::from_parts(head, Self { body: Some(body), receipt }), receiver)
    }
}

/// Returns the memory of a request, which its handler marks once the caller is authenticated; none if
/// it needs none.
fn memory(
    head: &mut request::Parts,
    length: Option<u64>,
    limits: &BodyLimits,
    network: Option<&Arc<Pools>>,
) -> Option<Memory> {
    let has_many = head.version > Version::HTTP_11 && network.is_some();
    let free = if has_many { 0 } else { FREE };
    if length.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length <= free)) {
        return None;
    }
    let mark = AuthenticationMark::default();
    head.extensions.insert(mark.clone());
    let mut memory = Memory::new(&limits.pools, network, mark, free);
    if has_many {
        let fields = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        memory.charge(fields.sum::<usize>().saturating_sub(FREE_HEAD));
    }
    Some(memory)
}

impl<B> Drop for RequestBody<B> {
    fn drop(&mut self) {
        if let Some(Receipt { memory, unread, .. }) = &mut self.receipt {
            let memory = memory.as_mut().map(Memory::release);
            let left = UnreadBody { body: self.body.take(), _memory: memory };
            *unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
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
        if let Err(error) = receipt.take(0) {
            return Poll::Ready(Some(Err(error)));
        }
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                receipt.timer.has_progressed = true;
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Poll::Ready(Some(receipt.take(bytes).map(|()| frame)))
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

impl<B> Receipt<B> {
    /// Takes memory for more bytes, and for the head the first time.
    fn take(&mut self, bytes: usize) -> Result<(), BoxError> {
        let Some(memory) = &mut self.memory else { return Ok(()) };
        memory.take(bytes).map_err(|error| {
            refuse("memory");
            error.into()
        })
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    fn limits(budget: Budget) -> BodyLimits {
        BodyLimits::new(Duration::from_secs(30), budget)
    }

    fn network(bytes: usize) -> Arc<Pools> {
        Arc::new(Pools::new(Budget { strangers: bytes, authenticated: bytes }))
    }

    /// Receives a body as a handler does; returns the receiver that keeps its memory, if there was
    /// enough.
    async fn receive(
        version: Version,
        size: usize,
        (limits, network): (&BodyLimits, &Arc<Pools>),
        is_authenticated: bool,
    ) -> Option<UnreadBodyReceiver<Body>> {
        let request = Request::builder().version(version).header("x", "y".repeat(3_000));
        let request = request.body(Body::from("x".repeat(size))).unwrap();
        let (request, receiver) = RequestBody::wrap(request, limits, Some(network));
        if is_authenticated && let Some(mark) = request.extensions().get::<AuthenticationMark>() {
            mark.set();
        }
        let received = to_bytes(Body::new(request.into_body()), usize::MAX).await;
        received.is_ok().then_some(receiver)
    }

    #[tokio::test]
    async fn strangers_cannot_take_the_memory_of_authenticated_callers() {
        let limits = limits(Budget { strangers: 60 << 10, authenticated: 60 << 10 });
        let of = (&limits, &network(1 << 20));
        let kept = receive(Version::HTTP_11, 60 << 10, of, false).await;
        assert!(kept.is_some());
        assert!(receive(Version::HTTP_11, 10 << 10, of, false).await.is_none());
        assert!(
            receive(Version::HTTP_11, 1 << 10, of, false).await.is_some(),
            "a small one is free"
        );
        assert!(receive(Version::HTTP_11, 20 << 10, of, true).await.is_some());
        drop(kept.and_then(UnreadBodyReceiver::receive));
        assert!(receive(Version::HTTP_11, 10 << 10, of, false).await.is_some());
    }

    #[tokio::test]
    async fn a_network_has_a_part_of_the_memory() {
        let limits = limits(Budget { strangers: 1 << 20, authenticated: 1 << 20 });
        let (one, other) = (network(30 << 10), network(30 << 10));
        let _kept = receive(Version::HTTP_11, 30 << 10, (&limits, &one), true).await;
        assert!(receive(Version::HTTP_11, 10 << 10, (&limits, &one), true).await.is_none());
        assert!(receive(Version::HTTP_11, 10 << 10, (&limits, &other), true).await.is_some());
    }

    #[tokio::test]
    async fn heads_and_small_bodies_count_on_http2() {
        let limits = limits(Budget { strangers: 1 << 20, authenticated: 1 << 20 });
        let own = network(4 << 10);
        // Two KiB of the head, and one of the body.
        let kept = receive(Version::HTTP_2, 1 << 10, (&limits, &own), false).await;
        assert!(kept.is_some());
        assert!(receive(Version::HTTP_2, 1 << 10, (&limits, &own), false).await.is_none());
        assert!(receive(Version::HTTP_11, 1 << 10, (&limits, &own), false).await.is_some());
    }
}
