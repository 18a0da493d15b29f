//! Progress of a connection, as its watchdog reads it.
//!
//! It is written for every request, on the thread of the connection. So there are no timestamps: the
//! watchdog compares the counters of two ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use axum::http::{Request, Version};
use hyper::body::Body;

/// The progress of a connection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The requests received, modulo 2³².
    requests: AtomicU32,
    /// The requests whose response is not sent yet.
    in_flight: AtomicU32,
    /// The writes that sent something, modulo 2³².
    sent: AtomicU32,
    /// True if the client takes no more bytes at the moment.
    is_blocked: AtomicBool,
    /// True if something was read since the last request, or behind it.
    has_begun_head: AtomicBool,
    /// The last four bytes that were read.
    tail: AtomicU32,
    is_http2: AtomicBool,
    /// True if the connection is closed while the client may still be sending.
    is_cut_short: AtomicBool,
}

/// The progress of a connection when the watchdog looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) requests: u32,
    pub(super) in_flight: u32,
    pub(super) sent: u32,
    /// True if there is something to send, and the client's turn to take it.
    pub(super) is_sending: bool,
    pub(super) has_begun_head: bool,
}

fn add(counter: &AtomicU32, change: u32) {
    counter.store(counter.load(Relaxed).wrapping_add(change), Relaxed);
}

impl Progress {
    /// Notes that bytes were read.
    pub(super) fn read(&self, bytes: &[u8]) {
        let last = bytes.iter().skip(bytes.len().saturating_sub(4));
        let tail = last.fold(self.tail.load(Relaxed), |tail, byte| tail << 8 | u32::from(*byte));
        self.tail.store(tail, Relaxed);
        if self.in_flight.load(Relaxed) == 0 {
            self.has_begun_head.store(true, Relaxed);
        }
    }

    /// Notes that bytes were sent.
    pub(super) fn sent(&self) {
        add(&self.sent, 1);
        self.is_blocked.store(false, Relaxed);
    }

    /// Notes that the client takes no more bytes.
    pub(super) fn blocked(&self) {
        self.is_blocked.store(true, Relaxed);
    }

    /// Checks whether the client may still be sending when the connection is closed.
    pub(super) fn may_still_be_sending(&self) -> bool {
        self.is_cut_short.load(Relaxed) || self.has_begun_head.load(Relaxed)
    }

    /// Notes a request; it is in flight until the guard is dropped.
    pub(super) fn begin<B: Body>(self: &Arc<Self>, request: &Request<B>) -> InFlight {
        add(&self.requests, 1);
        // What was read behind a request without a body is the head of the next one.
        let tail = self.tail.load(Relaxed).to_be_bytes();
        let is_whole = tail == *b"\r\n\r\n" || tail.ends_with(b"\n\n");
        let has_begun_next = request.body().is_end_stream() && !is_whole;
        self.has_begun_head.store(has_begun_next, Relaxed);
        if request.version() == Version::HTTP_2 {
            self.is_http2.store(true, Relaxed);
        }
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let is_http2 = self.is_http2.load(Relaxed);
        Snapshot {
            requests: self.requests.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            sent: self.sent.load(Relaxed),
            is_sending: self.is_blocked.load(Relaxed),
            // Frames of HTTP/2 need not belong to a request.
            has_begun_head: self.has_begun_head.load(Relaxed) && !is_http2,
        }
    }
}

/// Guard of a request in flight.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Progress>);

impl InFlight {
    /// Notes that the connection will be closed while the client may still be sending.
    pub(super) fn cut_short(&self) {
        self.0.is_cut_short.store(true, Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether half a head is seen behind a request that arrives in such parts.
    fn has_begun_next(parts: &[&str]) -> bool {
        let progress = Arc::new(Progress::default());
        for part in parts {
            progress.read(part.as_bytes());
        }
        drop(progress.begin(&Request::new(axum::body::Body::empty())));
        progress.snapshot().has_begun_head
    }

    #[test]
    fn half_a_head_behind_a_request_is_seen_and_a_head_in_parts_is_none() {
        assert!(has_begun_next(&["GET / HTTP/1.1\r\n\r\nGET / HT"]));
        assert!(!has_begun_next(&["GET / HTTP/1.1\r\n\r\n"]));
        assert!(!has_begun_next(&["GET / HTTP/1.1\r\n", "\r", "\n"]));
        assert!(!has_begun_next(&["GET / HTTP/1.1\n", "\n"]));
    }
}
