//! Sends requests as Envoy does, over gRPC.

use std::collections::HashMap;

use envoy_types::ext_authz::v3::pb::{CheckRequest, HttpResponse};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tokio::net::TcpListener;
use tonic::transport::Channel;

use super::installation::Installation;

/// An Envoy that asks about requests to the library.
pub(super) struct Envoy {
    client: AuthorizationClient<Channel>,
    token: String,
}

impl Envoy {
    pub(super) async fn connect(installation: &Installation) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = gatewright_api::ext_authz(installation.iam.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        let client = AuthorizationClient::connect(url).await.unwrap();
        Self { client, token: installation.token.clone() }
    }

    /// Asks about a GET of the service account.
    pub(super) async fn ask(&mut self, path: &str) -> HttpResponse {
        self.ask_with(path, &[]).await
    }

    /// Asks about a GET of the service account with more headers.
    pub(super) async fn ask_with(&mut self, path: &str, more: &[(&str, &str)]) -> HttpResponse {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = HashMap::from([("authorization".to_owned(), bearer)]);
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let http = HttpRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers,
            ..HttpRequest::default()
        };
        let attributes = AttributeContext {
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: HashMap::from([("api".to_owned(), "library".to_owned())]),
            ..AttributeContext::default()
        };
        let request = CheckRequest { attributes: Some(attributes) };
        self.client.check(request).await.unwrap().into_inner().http_response.unwrap()
    }
}
