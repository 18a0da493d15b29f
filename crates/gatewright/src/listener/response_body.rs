//! Body of a response that is in flight until it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::progress::InFlight;

/// The body of a response; its request is in flight until this is dropped.
pub(super) struct ResponseBody {
    body: Body,
    request: InFlight,
}

impl ResponseBody {
    /// Wraps the body of a response whose head is ready.
    pub(super) fn new(body: Body, request: InFlight) -> Self {
        Self { body, request: request.respond() }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.request.take_frame();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
