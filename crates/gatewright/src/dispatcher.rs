//! Dispatches requests to the API or the Control Panel: on the connection's worker if the answer
//! comes from memory and the body is small, else on the general runtime.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use axum::{BoxError, Router};
use gatewright_api::{Api, Destination, NoResponse, catch_panic, failure_response, serve};
use gatewright_iam::{CauseChain, QueryId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tower_service::Service;

/// Dispatches every request.
pub(crate) struct Dispatcher {
    pub(crate) api: Arc<Api>,
    /// The routes of the pages, and of unknown paths.
    pub(crate) pages: Router,
    /// The general runtime, for requests that may wait.
    pub(crate) runtime: Handle,
}

impl Dispatcher {
    /// Creates a dispatcher for another thread, with a clone of the API of its own: threads would
    /// contend for a shared reference count.
    pub(crate) fn for_thread(&self) -> Self {
        let (pages, runtime) = (self.pages.clone(), self.runtime.clone());
        Self { api: Arc::new(self.api.for_thread()), pages, runtime }
    }
}

/// The handler of one client connection.
pub(crate) struct Connection {
    dispatcher: Arc<Dispatcher>,
    peer: SocketAddr,
}

impl Connection {
    pub(crate) fn new(dispatcher: &Arc<Dispatcher>, peer: SocketAddr) -> Self {
        let dispatcher = Arc::clone(dispatcher);
        Self { dispatcher, peer }
    }

    /// Handles a request.
    pub(crate) async fn handle<B>(
        self: Arc<Self>,
        request: Request<B>,
    ) -> Result<Response<Body>, Infallible>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let api = &*self.dispatcher.api;
        let query_id = api.new_query_id();
        let destination = api.destination(request.uri().path());
        let response = if destination == Destination::ApiFromMemory && is_small(request.body()) {
            catch_panic(query_id, pin!(serve(api, (query_id, Some(self.peer)), request))).await
        } else {
            // Boxed: the future is large and seldom needed.
            Box::pin(self.offload(query_id, request, destination)).await
        };
        Ok(response.unwrap_or_else(|NoResponse| failure_response(query_id)))
    }

    /// Runs a request on the general runtime, and waits for its response.
    async fn offload<B>(
        &self,
        query_id: QueryId,
        mut request: Request<B>,
        destination: Destination,
    ) -> Result<Response<Body>, NoResponse>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (dispatcher, peer) = (Arc::clone(&self.dispatcher), self.peer);
        let handling = async move {
            if destination != Destination::Elsewhere {
                return serve(&dispatcher.api, (query_id, Some(peer)), request).await;
            }
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(query_id);
            let Ok(response) = dispatcher.pages.clone().call(request).await;
            response
        };
        let handling = async move { catch_panic(query_id, pin!(handling)).await };
        let mut task = Offloaded {
            handling: self.dispatcher.runtime.spawn(handling),
            ends_with_client: destination == Destination::ApiFromMemory,
        };
        (&mut task.handling).await.unwrap_or_else(|error| {
            tracing::error!(%query_id, cause = %CauseChain(&error), "failed");
            Err(NoResponse)
        })
    }
}

/// The maximum size of a body that is read and answered on the connection's worker, in bytes.
pub(crate) const SMALL_BODY: u64 = 16 * 1024;

/// Returns whether a body is known to be small.
fn is_small(body: &impl HttpBody) -> bool {
    body.size_hint().upper().is_some_and(|most| most <= SMALL_BODY)
}

/// A request on the general runtime.
struct Offloaded<T> {
    handling: JoinHandle<T>,
    /// True if it changes nothing, so that it need not go on without a client.
    ends_with_client: bool,
}

impl<T> Drop for Offloaded<T> {
    fn drop(&mut self) {
        if self.ends_with_client {
            self.handling.abort();
        }
    }
}

#[cfg(test)]
mod tests;
