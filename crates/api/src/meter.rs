//! Counts the responses and their latency, in batches, for the metrics.
//!
//! Invariants: each thread has a shard of its own, whose lock is held for a few instructions and
//! never across an await; the number of pending responses is bounded; and nothing is lost but by a
//! crash.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use metrics::Histogram;
use thread_local::ThreadLocal;

/// The maximum number of pending responses in each thread's shard.
const MOST_WAITING: usize = 256;

/// The labels and the latency of a response.
struct Answered {
    /// The path template of the operation; empty if there is none.
    route: &'static str,
    status: StatusCode,
    seconds: f64,
}

/// The pending responses of a thread; aligned, so that the shards of two threads share no cache
/// line.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Vec<Answered>>);

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records responses. Each thread has a shard of its own, so that threads do not wait for each
/// other.
pub(crate) struct Meter {
    shards: ThreadLocal<Shard>,
    seconds: Histogram,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let seconds = metrics::histogram!("gatewright_http_request_duration_seconds");
        Self { shards: ThreadLocal::new(), seconds }
    }

    /// Records a response.
    pub(crate) fn note(&self, route: &'static str, status: StatusCode, seconds: f64) {
        let mut pending = self.shards.get_or_default().lock();
        pending.push(Answered { route, status, seconds });
        if pending.len() >= MOST_WAITING {
            self.count(&mut pending);
        }
    }

    /// Adds the pending responses to the metrics.
    pub(crate) fn flush(&self) {
        for shard in &self.shards {
            self.count(&mut shard.lock());
        }
    }

    fn count(&self, pending: &mut Vec<Answered>) {
        pending.sort_unstable_by_key(|one| (one.route, one.status));
        for alike in pending.chunk_by(|a, b| (a.route, a.status) == (b.route, b.status)) {
            let Some(Answered { route, status, .. }) = alike.first() else { continue };
            let labels = [("route", (*route).to_owned()), ("status", status.as_u16().to_string())];
            let count = u64::try_from(alike.len()).unwrap_or_default();
            metrics::counter!("gatewright_http_requests_total", &labels).increment(count);
            for one in alike {
                self.seconds.record(one.seconds);
            }
        }
        pending.clear();
    }
}
