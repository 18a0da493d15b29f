//! Where a request goes: the API's own go straight to it, all others by the pages.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use axum::{BoxError, Router};
use gatewright_api::Api;
use tower_service::Service;

/// Below these there are no pages, and nearly all requests.
const API: [&str; 7] =
    ["/v1/", "/v2/", "/1.0/", "/auth/", "/access/", "/forward-auth/", "/ext-authz/"];

/// Takes every request.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) api: Arc<Api>,
    /// The pages, and what the API answers elsewhere.
    pub(crate) pages: Router,
}

impl<B> Service<Request<B>> for Front
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        if !API.iter().any(|tree| path.starts_with(tree)) {
            return Box::pin(self.pages.call(request));
        }
        let api = Arc::clone(&self.api);
        Box::pin(async move { Ok(gatewright_api::serve(&api, request.map(Body::new)).await) })
    }
}
