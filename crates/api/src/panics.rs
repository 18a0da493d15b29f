//! Panics of request handlers: a bug must cost its request a 500, and nothing else.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use gatewright_iam::QueryId;

thread_local! {
    /// The query ID of the request that this thread is handling.
    static QUERY_ID: Cell<Option<QueryId>> = const { Cell::new(None) };
}

/// The error of a request whose handler ended without a response.
#[derive(Debug, thiserror::Error)]
#[error("the request handler ended without a response")]
pub struct NoResponse;

/// Returns the query ID of the request that this thread is handling, for the panic hook's log event.
pub fn current_query_id() -> Option<QueryId> {
    QUERY_ID.get()
}

/// Runs the handler of a request, and fails if it panics. It logs nothing: the panic hook does, which
/// knows the location as well.
pub async fn catch_panic<F: Future>(
    query_id: QueryId,
    mut handler: Pin<&mut F>,
) -> Result<F::Output, NoResponse> {
    poll_fn(|context| {
        let outer = QUERY_ID.replace(Some(query_id));
        // Unwind-safe: what panicked is not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context)));
        QUERY_ID.set(outer);
        polled.map_or(Poll::Ready(Err(NoResponse)), |polled| polled.map(Ok))
    })
    .await
}
