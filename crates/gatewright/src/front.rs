//! Where a request goes: the API's own go straight to it, all others by the pages; and what is
//! answered from memory is answered on the spot, while all else is passed on to other threads.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use gatewright_api::{Api, serve};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tower_service::Service;

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

/// Takes every request.
pub(crate) struct Front {
    pub(crate) api: Arc<Api>,
    /// The pages, and what the API answers elsewhere.
    pub(crate) pages: Router,
    /// The threads for what takes longer.
    pub(crate) others: Handle,
}

impl Front {
    /// The same for another thread, with an API of its own: threads would wait for each other where
    /// its references are counted.
    pub(crate) fn another(&self) -> Self {
        let (pages, others) = (self.pages.clone(), self.others.clone());
        Self { api: Arc::new(Api::clone(&self.api)), pages, others }
    }
}

/// A connection with a client.
pub(crate) struct Connection {
    front: Arc<Front>,
    peer: SocketAddr,
    has_asked: AtomicBool,
}

impl Connection {
    pub(crate) fn new(front: &Arc<Front>, peer: SocketAddr) -> Self {
        Self { front: Arc::clone(front), peer, has_asked: AtomicBool::new(false) }
    }

    /// Whether a request has come.
    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Answers a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        self.has_asked.store(true, Ordering::Relaxed);
        Ok(if is_quick(request.uri().path()) {
            serve(&self.front.api, Some(self.peer), request).await
        } else {
            // Seldom needed, and large.
            Box::pin(self.pass_on(request)).await
        })
    }

    async fn pass_on(&self, mut request: Request<Incoming>) -> Response<Body> {
        let (front, peer) = (Arc::clone(&self.front), self.peer);
        let path = request.uri().path();
        let is_api = API.iter().any(|tree| path.starts_with(tree));
        let answering = async move {
            if is_api {
                return serve(&front.api, Some(peer), request).await;
            }
            request.extensions_mut().insert(ConnectInfo(peer));
            let Ok(response) = front.pages.clone().call(request).await;
            response
        };
        self.front.others.spawn(answering).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request has failed");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }
}

/// Whether a request is answered from memory, as nearly all are.
fn is_quick(path: &str) -> bool {
    QUICK.iter().any(|head| path.starts_with(head)) || path.ends_with("/authorization/check")
}
