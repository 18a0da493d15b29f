//! Body of a response that is in flight until it is sent, and whose memory is counted meanwhile.
//!
//! One that is not small is handed over in small copies, as the client takes them: what was handed
//! over whole would be held where nobody counts it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use gatewright_api::refused_response;
use gatewright_iam::limits::SMALL_RESPONSE_BYTES;
use gatewright_iam::{Network, Recipient, StaticBody};
use hyper::body::{Frame, SizeHint};

use super::http2_stream;
use super::progress::InFlight;
use super::response_memory::{HeldResponseMemory, ResponseMemory};

/// The size of a copy, in bytes. A client has the time for writing for each on HTTP/2.
const COPY: usize = 8 << 10;

/// The body of a response; its request is in flight until this is dropped.
pub(super) struct ResponseBody {
    body: Body,
    /// None for a small one.
    counted: Option<Counted>,
    _request: InFlight,
}

/// The count of a body that is not small.
struct Counted {
    memory: Arc<ResponseMemory>,
    recipient: Option<Recipient>,
    /// The bytes that the body has at least.
    least: usize,
    held: Option<HeldResponseMemory>,
    /// The part of a frame that is not handed over yet.
    rest: Bytes,
}

impl ResponseBody {
    /// Wraps the body of a response whose head is ready, to a network or through a trusted proxy. A
    /// response that there is no memory for is refused.
    pub(super) fn wrap(
        mut response: Response<Body>,
        memory: (Arc<ResponseMemory>, Option<Network>),
        request: InFlight,
    ) -> Response<Self> {
        let size = response.body().size_hint();
        let mut counted = None;
        let takes_memory = response.extensions().get::<StaticBody>().is_none();
        if takes_memory && size.upper().is_none_or(|most| bytes(most) > SMALL_RESPONSE_BYTES) {
            match Counted::of(&mut response, &size, memory) {
                Ok(whole) => counted = Some(whole),
                Err(_) => response = refused_response(&response),
            }
        }
        http2_stream::note_client_turn();
        response.map(|body| Self { body, counted, _request: request })
    }
}

impl Counted {
    fn of(
        response: &mut Response<Body>,
        size: &SizeHint,
        (memory, network): (Arc<ResponseMemory>, Option<Network>),
    ) -> io::Result<Self> {
        let least = bytes(size.lower());
        let recipient = response.extensions_mut().remove().or(network.map(Recipient::Network));
        let mut counted = Self { memory, recipient, least, held: None, rest: Bytes::new() };
        counted.hold(0)?;
        Ok(counted)
    }

    /// Holds memory for a frame, in place of that for the last one.
    fn hold(&mut self, frame: usize) -> io::Result<()> {
        let needed = frame.max(self.least);
        if self.held.as_ref().is_some_and(|held| held.is_for(needed)) {
            return Ok(());
        }
        self.held = None;
        if needed > SMALL_RESPONSE_BYTES {
            let held = self.memory.take(self.recipient.as_ref(), needed);
            self.held = Some(held.ok_or(io::ErrorKind::QuotaExceeded)?);
        }
        Ok(())
    }

    fn poll_frame(
        &mut self,
        body: Pin<&mut Body>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.rest.is_empty() {
            match ready!(body.poll_frame(context)).map(|polled| polled.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
            self.hold(self.rest.len()).map_err(Error::new)?;
            if self.rest.len() <= COPY {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
            }
        }
        let part = self.rest.split_to(self.rest.len().min(COPY));
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&part)))))
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Self { body, counted, .. } = &mut *self;
        let polled = match counted {
            None => Pin::new(body).poll_frame(context),
            Some(counted) => counted.poll_frame(Pin::new(body), context),
        };
        if polled.is_ready() {
            http2_stream::note_client_turn();
        } else {
            http2_stream::note_server_turn();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let is_taken = self.counted.as_ref().is_none_or(|counted| counted.rest.is_empty());
        is_taken && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let size = self.body.size_hint();
        let Some(Counted { rest, .. }) = &self.counted else { return size };
        let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        let mut whole = SizeHint::new();
        whole.set_lower(size.lower().saturating_add(rest));
        if let Some(most) = size.upper() {
            whole.set_upper(most.saturating_add(rest));
        }
        whole
    }
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::{Request, StatusCode};
    use gatewright_iam::AccountName;

    use super::*;
    use crate::listener::progress::Progress;

    const KIB: usize = 1 << 10;

    fn account() -> Recipient {
        Recipient::Account(AccountName::new("aa1-ovh"))
    }

    /// Wraps the body of a response to an account.
    fn wrap(body: Body, memory: &Arc<ResponseMemory>) -> Response<ResponseBody> {
        let mut response = Response::new(body);
        response.extensions_mut().insert(account());
        let request = Arc::<Progress>::default().begin(&Request::new(Body::empty()));
        ResponseBody::wrap(response, (Arc::clone(memory), None), request)
    }

    /// Returns whether all of an account's memory is free: half of three quarters of 4 MiB.
    fn is_free(memory: &ResponseMemory) -> bool {
        memory.take(Some(&account()), 1_536 * KIB).is_some()
    }

    async fn frame(response: &mut Response<ResponseBody>) -> Option<Result<Bytes, Error>> {
        let body = response.body_mut();
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        Some(frame?.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn a_body_is_handed_over_in_parts_and_its_memory_given_back_behind_it() {
        let memory = ResponseMemory::new(4_096 * KIB, "test");
        let text: String =
            (0..100_000_u32).map(|number| char::from_digit(number % 36, 36).unwrap()).collect();
        let mut response = wrap(Body::from(text.clone()), &memory);
        assert_eq!(response.body().size_hint().exact(), Some(100_000));
        let mut received = Vec::new();
        while let Some(part) = frame(&mut response).await {
            let part = part.unwrap();
            assert!(part.len() <= COPY);
            received.extend(part);
            let left = u64::try_from(100_000 - received.len()).unwrap();
            assert_eq!(response.body().size_hint().exact(), Some(left));
            assert_eq!(response.body().is_end_stream(), left == 0);
            assert!(!is_free(&memory));
        }
        assert_eq!(received, text.into_bytes());
        drop(response);
        assert!(is_free(&memory));
    }

    #[tokio::test]
    async fn a_response_without_memory_is_refused_unless_it_is_small() {
        let memory = ResponseMemory::new(4_096 * KIB, "test");
        let held = wrap(Body::from(vec![0; 1_530 * KIB]), &memory);
        assert_eq!(held.status(), StatusCode::OK);
        let refused = wrap(Body::from(vec![0; 17 * KIB]), &memory);
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        let text = to_bytes(Body::new(refused.into_body()), KIB).await.unwrap();
        assert!(text.starts_with(b"{\"class\":\"Server::ServiceUnavailable\""), "{text:?}");
        assert_eq!(wrap(Body::from(vec![0; 16 * KIB]), &memory).status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_part_of_the_program_takes_no_memory() {
        let memory = ResponseMemory::new(4_096 * KIB, "test");
        let _all = memory.take(Some(&account()), 1_536 * KIB).unwrap();
        let mut response = Response::new(Body::from(vec![0; 100 * KIB]));
        response.extensions_mut().insert(StaticBody);
        let request = Arc::<Progress>::default().begin(&Request::new(Body::empty()));
        let sent = ResponseBody::wrap(response, (Arc::clone(&memory), None), request);
        assert_eq!(sent.status(), StatusCode::OK);
    }

    /// A body of frames of zeros, whose size is not known before.
    struct Frames(Vec<usize>);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            Poll::Ready(self.0.pop().map(|size| Ok(Frame::data(vec![0; size].into()))))
        }
    }

    #[tokio::test]
    async fn a_stream_holds_memory_for_what_it_sends_and_none_while_it_waits() {
        let memory = ResponseMemory::new(4_096 * KIB, "test");
        let mut stream = wrap(Body::new(Frames(vec![2_000 * KIB, 1, 1_536 * KIB])), &memory);
        assert!(is_free(&memory), "it has nothing to send yet");
        for _ in 0..192 {
            assert_eq!(frame(&mut stream).await.unwrap().unwrap().len(), COPY);
            assert!(memory.take(Some(&account()), 1).is_none());
        }
        assert_eq!(frame(&mut stream).await.unwrap().unwrap().len(), 1);
        assert!(is_free(&memory));
        assert!(frame(&mut stream).await.unwrap().is_err(), "it is too large");
        drop(stream);
        assert!(is_free(&memory));
    }
}
