//! Envoy's checks over gRPC, beside a server that allows everything.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse, HttpResponse, OkHttpResponse,
};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    HttpRequest, Request as HttpAttributes,
};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::client::{Anyhow, ROUND, connections, lap};
use crate::turns::Round;

struct Everybody;

#[tonic::async_trait]
impl Authorization for Everybody {
    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let allowed = HttpResponse::OkResponse(OkHttpResponse::default());
        Ok(Response::new(CheckResponse {
            status: Some(Default::default()),
            http_response: Some(allowed),
            ..CheckResponse::default()
        }))
    }
}

/// Serves the bare server to compare with.
pub(crate) async fn bare(listener: tokio::net::TcpListener) -> Anyhow<()> {
    let server = Server::builder().add_service(AuthorizationServer::new(Everybody));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(server.serve_with_incoming(incoming).await?)
}

/// Builds Envoy's check of a request.
pub(crate) fn request(token: &str, path: String) -> CheckRequest {
    let headers = HashMap::from([
        (":authority".to_owned(), "localhost".to_owned()),
        (":method".to_owned(), "GET".to_owned()),
        (":path".to_owned(), path.clone()),
        ("authorization".to_owned(), format!("Bearer {token}")),
    ]);
    let http = HttpRequest { method: "GET".to_owned(), path, headers, ..HttpRequest::default() };
    let attributes = AttributeContext {
        request: Some(HttpAttributes { http: Some(http), ..HttpAttributes::default() }),
        context_extensions: HashMap::from([("api".to_owned(), "benchmark".to_owned())]),
        ..AttributeContext::default()
    };
    CheckRequest { attributes: Some(attributes) }
}

/// Measures checks over persistent connections.
pub(crate) async fn load(address: SocketAddr, questions: &[CheckRequest]) -> Anyhow<Round> {
    let questions: Arc<[CheckRequest]> = questions.into();
    let started = Instant::now();
    let connections = (0..connections()).map(|connection| {
        let questions = Arc::clone(&questions);
        tokio::spawn(async move {
            let mut client = AuthorizationClient::connect(format!("http://{address}")).await?;
            let (mut next, mut times) = (connection * 31, Vec::new());
            let mut now = Instant::now();
            while now - started < ROUND {
                let answer = client.check(questions[next % questions.len()].clone()).await?;
                if answer.into_inner().status.is_none_or(|status| status.code != 0) {
                    return Err("a request did not pass".into());
                }
                next += 1;
                times.push(lap(&mut now));
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(times)
        })
    });
    let mut times = Vec::new();
    for connection in connections.collect::<Vec<_>>() {
        times.extend(connection.await??);
    }
    Ok(Round::of(times, started.elapsed()))
}
