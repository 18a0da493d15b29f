//! Where a request goes: the API's own go straight to it, all others by the pages.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use axum::{BoxError, Router};
use gatewright_api::{Api, Serving, serve};
use tower_service::Service;

/// Below these there are no pages, and nearly all requests.
const API: [&str; 7] =
    ["/v1/", "/v2/", "/1.0/", "/auth/", "/access/", "/forward-auth/", "/ext-authz/"];

/// Takes every connection.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) api: Arc<Api>,
    /// The pages, and what the API answers elsewhere.
    pub(crate) pages: Router,
}

impl Service<SocketAddr> for Front {
    type Response = Connection;
    type Error = Infallible;
    type Future = Ready<Result<Connection, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        ready(Ok(Connection { front: self.clone(), peer }))
    }
}

/// Takes every request of a connection.
#[derive(Clone)]
pub(crate) struct Connection {
    front: Front,
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
        let Front { api, pages } = &mut self.front;
        let path = request.uri().path();
        if API.iter().any(|tree| path.starts_with(tree)) {
            return serve(api, Some(self.peer), request);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Box::pin(pages.call(request))
    }
}
