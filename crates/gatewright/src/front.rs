//! Where a request goes: the API's own go straight to it, all others by the pages; and what is
//! answered from memory is answered on the spot, while all else is passed on to other threads.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use axum::{BoxError, Router};
use gatewright_api::{Api, Serving, serve};
use tokio::runtime::Handle;
use tower_service::Service;

use crate::fronts::Peer;

/// Below these there are no pages, and nearly all requests.
const API: [&str; 7] =
    ["/v1/", "/v2/", "/1.0/", "/auth/", "/access/", "/forward-auth/", "/ext-authz/"];

/// What is below these, or ends with `authorization/check`, is answered from memory.
const QUICK: [&str; 5] = [
    "/forward-auth/",
    "/ext-authz/",
    "/access/v1/evaluation",
    "/auth/oauth2/token",
    "/auth/oauth2/introspect",
];

/// Takes every connection.
#[derive(Clone)]
pub(crate) struct Front(Arc<Ways>);

/// Where requests go.
#[derive(Clone)]
struct Ways {
    api: Arc<Api>,
    /// The pages, and what the API answers elsewhere.
    pages: Router,
    /// The threads for what takes longer.
    others: Handle,
}

impl Front {
    pub(crate) fn new(api: &Api, pages: Router, others: Handle) -> Self {
        Self(Arc::new(Ways { api: Arc::new(api.clone()), pages, others }))
    }

    /// The same for another thread. References are counted with each request, which threads would
    /// wait for each other at.
    pub(crate) fn of_its_own(&self) -> Self {
        Self::new(&self.0.api, self.0.pages.clone(), self.0.others.clone())
    }
}

impl Service<Peer> for Front {
    type Response = Connection;
    type Error = Infallible;
    type Future = Ready<Result<Connection, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Peer(peer): Peer) -> Self::Future {
        ready(Ok(Connection { ways: Arc::clone(&self.0), peer }))
    }
}

/// Takes every request of a connection.
#[derive(Clone)]
pub(crate) struct Connection {
    ways: Arc<Ways>,
    peer: SocketAddr,
}

impl<B> Service<Request<B>> for Connection
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Serving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Ways { api, pages, others } = &*self.ways;
        let path = request.uri().path();
        if is_quick(path) {
            return serve(api, Some(self.peer), request);
        }
        let is_api = API.iter().any(|tree| path.starts_with(tree));
        let serving = if is_api {
            serve(api, Some(self.peer), request)
        } else {
            request.extensions_mut().insert(ConnectInfo(self.peer));
            Box::pin(pages.clone().call(request))
        };
        let serving = others.spawn(serving);
        Box::pin(async move {
            serving.await.unwrap_or_else(|error| {
                tracing::error!(%error, "a request has failed");
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Ok(response)
            })
        })
    }
}

/// Whether a request is answered from memory, as nearly all are.
fn is_quick(path: &str) -> bool {
    QUICK.iter().any(|head| path.starts_with(head)) || path.ends_with("/authorization/check")
}
