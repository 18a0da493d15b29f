//! The gRPC service that Envoy calls.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::messages::{CheckRequest, CheckResponse};

/// The path of the one method.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

type Check = dyn Fn(CheckRequest) -> BoxFuture<'static, CheckResponse> + Send + Sync;

/// The service `envoy.service.auth.v3.Authorization`.
#[derive(Clone)]
pub(super) struct Authorization(Arc<Check>);

impl Authorization {
    /// Creates the service with the implementation of its one method.
    pub(super) fn new(
        check: impl Fn(CheckRequest) -> BoxFuture<'static, CheckResponse> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(check))
    }
}

impl NamedService for Authorization {
    const NAME: &'static str = "envoy.service.auth.v3.Authorization";
}

impl Service<http::Request<Body>> for Authorization {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Method(Arc::clone(&self.0));
        Box::pin(async move {
            if request.uri().path() != PATH {
                return Ok(Status::unimplemented("").into_http());
            }
            Ok(Grpc::new(ProstCodec::default()).unary(method, request).await)
        })
    }
}

/// The service's one method, `Check`.
struct Method(Arc<Check>);

impl UnaryService<CheckRequest> for Method {
    type Response = CheckResponse;
    type Future = BoxFuture<'static, Result<Response<CheckResponse>, Status>>;

    fn call(&mut self, request: Request<CheckRequest>) -> Self::Future {
        let answering = (self.0)(request.into_inner());
        Box::pin(async move { Ok(Response::new(answering.await)) })
    }
}
