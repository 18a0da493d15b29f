//! Counts the responses and their latency, in batches, for the metrics.
//!
//! Invariants: each thread has a shard of its own, whose lock is held for a few instructions and
//! never across an await; the number of pending responses is bounded; and nothing is lost but by a
//! crash.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use metrics::Histogram;

/// The maximum number of pending responses in each thread's shard.
const MOST_WAITING: usize = 256;

/// The labels and the latency of a response.
struct Answered {
    /// The path template of the operation; empty if there is none.
    route: &'static str,
    status: StatusCode,
    seconds: f64,
}

type Part = Arc<Mutex<Vec<Answered>>>;

/// Records responses. Clones are for other threads: each has a shard of its own, so that threads do
/// not wait for each other.
pub(crate) struct Meter {
    part: Part,
    all: Arc<Mutex<Vec<Part>>>,
    seconds: Histogram,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let seconds = metrics::histogram!("gatewright_http_request_duration_seconds");
        let part = Part::default();
        Self { all: Arc::new(Mutex::new(vec![Arc::clone(&part)])), part, seconds }
    }

    /// Records a response.
    pub(crate) fn note(&self, route: &'static str, status: StatusCode, seconds: f64) {
        let mut part = lock(&self.part);
        part.push(Answered { route, status, seconds });
        if part.len() >= MOST_WAITING {
            self.count(&mut part);
        }
    }

    /// Adds the pending responses to the metrics.
    pub(crate) fn flush(&self) {
        for part in &*lock(&self.all) {
            self.count(&mut lock(part));
        }
    }

    fn count(&self, part: &mut Vec<Answered>) {
        part.sort_unstable_by_key(|one| (one.route, one.status));
        for alike in part.chunk_by(|a, b| (a.route, a.status) == (b.route, b.status)) {
            let Some(Answered { route, status, .. }) = alike.first() else { continue };
            let labels = [("route", (*route).to_owned()), ("status", status.as_u16().to_string())];
            let count = u64::try_from(alike.len()).unwrap_or_default();
            metrics::counter!("gatewright_http_requests_total", &labels).increment(count);
            for one in alike {
                self.seconds.record(one.seconds);
            }
        }
        part.clear();
    }
}

impl Clone for Meter {
    fn clone(&self) -> Self {
        let part = Part::default();
        lock(&self.all).push(Arc::clone(&part));
        Self { part, all: Arc::clone(&self.all), seconds: self.seconds.clone() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
