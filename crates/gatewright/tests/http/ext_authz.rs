//! Envoy's external authorization, called as Envoy calls it.

use std::collections::HashMap;

use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse, HttpResponse};
use envoy_types::pb::envoy::config::core::v3::address::Address as Kind;
use envoy_types::pb::envoy::config::core::v3::{Address, HeaderMap, HeaderValue, SocketAddress};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::json;
use tonic::transport::Channel;

use crate::attacks::{ATTACKS, Attack};
use crate::programs::{examples, free_port, send};
use crate::server::{ACCOUNT, Caller, Server};

/// A client that asks as Envoy does.
pub(crate) struct Envoy(AuthorizationClient<Channel>);

impl Envoy {
    pub(crate) async fn connect(address: &str) -> Self {
        Self(AuthorizationClient::connect(format!("http://{address}")).await.unwrap())
    }

    async fn check(&mut self, http: HttpRequest, api: &str, from: &str) -> CheckResponse {
        let socket = SocketAddress { address: from.to_owned(), ..SocketAddress::default() };
        let address = Address { address: Some(Kind::SocketAddress(socket)) };
        let attributes = AttributeContext {
            source: Some(Peer { address: Some(address), ..Peer::default() }),
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: HashMap::from([("api".to_owned(), api.to_owned())]),
            ..AttributeContext::default()
        };
        let request = CheckRequest { attributes: Some(attributes) };
        self.0.check(request).await.unwrap().into_inner()
    }

    /// Returns the code of the decision, and the headers that Envoy is told to set.
    async fn ask(&mut self, http: HttpRequest) -> (i32, HashMap<String, String>) {
        self.ask_about("shop", http).await
    }

    /// Does the same for any API.
    pub(crate) async fn ask_about(
        &mut self,
        api: &str,
        http: HttpRequest,
    ) -> (i32, HashMap<String, String>) {
        let answer = self.check(http, api, "203.0.113.7").await;
        let headers = match answer.http_response.unwrap() {
            HttpResponse::OkResponse(ok) => ok.headers,
            HttpResponse::DeniedResponse(denied) => {
                assert!(!denied.body.is_empty());
                denied.headers
            }
            HttpResponse::ErrorResponse(_) => Vec::new(),
        };
        let headers = headers.into_iter().filter_map(|one| one.header);
        let headers = headers.map(|header| (header.key, header.value)).collect();
        (answer.status.unwrap().code, headers)
    }

    /// Returns the headers that Envoy is told to remove from a request that is allowed.
    pub(crate) async fn removed(&mut self, api: &str, http: HttpRequest) -> Vec<String> {
        match self.check(http, api, "203.0.113.7").await.http_response.unwrap() {
            HttpResponse::OkResponse(ok) => ok.headers_to_remove,
            other => panic!("not allowed: {other:?}"),
        }
    }
}

pub(crate) fn request(
    token: &str,
    method: &str,
    path: &str,
    extra: &[(&str, &str)],
) -> HttpRequest {
    let mut headers = HashMap::from([(":authority".to_owned(), "shop".to_owned())]);
    if !token.is_empty() {
        headers.insert("authorization".to_owned(), format!("Bearer {token}"));
    }
    for (name, value) in extra {
        // Envoy sends lower-case names, and joins repeated values with commas.
        let all = headers.entry(name.to_lowercase()).or_default();
        *all = if all.is_empty() { (*value).to_owned() } else { format!("{all},{value}") };
    }
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        ..HttpRequest::default()
    }
}

async fn guarded(database: &TestDatabase) -> (Server, Caller, Caller, Envoy) {
    let folder = examples().join("shop");
    let address = format!("127.0.0.1:{}", free_port());
    let flags = ["--products", folder.to_str().unwrap(), "--ext-authz-listen", &address];
    let server = Server::start_with(database, &flags);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    admin.allow("seven", &caller, "order:shop:get", "urn:v1:eu:resource:order:7").await;
    let envoy = Envoy::connect(&address).await;
    (server, admin, caller, envoy)
}

on_both_databases!(envoy_hears_what_may_pass_and_who_it_is);
async fn envoy_hears_what_may_pass_and_who_it_is(database: TestDatabase) {
    let (_server, admin, caller, mut envoy) = guarded(&database).await;
    let (code, headers) = envoy.ask(request(&caller.token, "GET", "/orders/7?x=1", &[])).await;
    assert_eq!(code, 0);
    assert_eq!(headers["x-gatewright-identity"], caller.urn());
    assert_eq!(headers["x-gatewright-account"], ACCOUNT);
    let (code, headers) = envoy.ask(request(&caller.token, "GET", "/orders/8", &[])).await;
    assert_eq!(code, 7);
    assert_eq!(headers["x-gatewright-missing"], "order:shop:get");
    let revision = headers["x-gatewright-revision"].as_str();
    let fresh = [("x-gatewright-at-least", revision)];
    assert_eq!(envoy.ask(request(&caller.token, "GET", "/orders/7", &fresh)).await.0, 0);
    let future = [("x-gatewright-at-least", "xx11111-ovh:999999")];
    assert_ne!(envoy.ask(request(&caller.token, "GET", "/orders/7", &future)).await.0, 0);
    let (code, headers) = envoy.ask(request("", "GET", "/orders/7", &[])).await;
    assert_eq!(code, 16);
    assert_eq!(headers["www-authenticate"], "Bearer");
    // On a public operation the caller is anonymous, and the identity headers are empty.
    let open = envoy.check(request("", "GET", "/health", &[]), "shop", "").await;
    assert_eq!(open.status.unwrap().code, 0);
    let Some(HttpResponse::OkResponse(ok)) = open.http_response else { panic!("it is open") };
    assert!(ok.headers_to_remove.contains(&"x-gatewright-identity".to_owned()));
    let other = envoy.check(request(&caller.token, "GET", "/orders/7", &[]), "other", "").await;
    assert_eq!(other.status.unwrap().code, 7);
    // Envoy can also send headers as raw bytes.
    let mut raw = request("", "GET", "/orders/7", &[]);
    let value = HeaderValue {
        key: "Authorization".to_owned(),
        raw_value: format!("Bearer {}", caller.token).into_bytes(),
        ..HeaderValue::default()
    };
    raw.headers.clear();
    raw.header_map = Some(HeaderMap { headers: vec![value.clone()] });
    assert_eq!(envoy.ask(raw.clone()).await.0, 0);
    raw.header_map = Some(HeaderMap { headers: vec![value.clone(), value] });
    assert_eq!(envoy.ask(raw).await.0, 16);
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", caller.id)).await.expect(200);
    assert_eq!(envoy.ask(request(&caller.token, "GET", "/orders/7", &[])).await.0, 16);
}

on_both_databases!(nothing_gets_round_envoy);
async fn nothing_gets_round_envoy(database: TestDatabase) {
    let (_server, _, caller, mut envoy) = guarded(&database).await;
    for Attack(method, target, extra) in ATTACKS {
        let (code, _) = envoy.ask(request(&caller.token, method, target, extra)).await;
        assert_ne!(code, 0, "{method} {target} {extra:?}");
    }
}

on_both_databases!(conditions_see_the_address_that_envoy_saw);
async fn conditions_see_the_address_that_envoy_saw(database: TestDatabase) {
    let (_server, admin, caller, mut envoy) = guarded(&database).await;
    let policy = json!({
        "name": "eight-from-home",
        "identities": [caller.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:order:8"}],
        "permissions": {"allow": [{"action": "order:shop:get"}]},
        "conditions": {"operator": "MATCH", "values": {"request.IP.IN_RANGE": "198.51.100.0/24"}},
    });
    admin.post("/v2/iam/policy", &policy).await.expect(200);
    for (from, code) in [("198.51.100.9", 0), ("203.0.113.7", 7), ("nonsense", 7)] {
        let asked = request(&caller.token, "GET", "/orders/8", &[]);
        let answer = envoy.check(asked, "shop", from).await;
        assert_eq!(answer.status.unwrap().code, code, "{from}");
    }
}

on_both_databases!(nothing_gets_round_envoy_over_http);
async fn nothing_gets_round_envoy_over_http(database: TestDatabase) {
    let (server, _, caller, _) = guarded(&database).await;
    let port = server.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let bearer = format!("Bearer {}", caller.token);
    let ask = async |method: &str, target: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend_from_slice(extra);
        send(port, method, &format!("/ext-authz/shop{target}"), &headers).await
    };
    let (status, answer) = ask("GET", "/orders/7?x=1", &[]).await;
    assert_eq!(status, 200);
    assert!(answer.contains(&format!("x-gatewright-identity: {}", caller.urn().to_lowercase())));
    let (status, answer) = ask("DELETE", "/orders/7", &[]).await;
    assert_eq!(status, 403);
    assert!(answer.contains("x-gatewright-missing: order:shop:delete"), "{answer}");
    let (status, answer) = send(port, "GET", "/ext-authz/shop/orders/7", &[]).await;
    assert_eq!(status, 401);
    assert!(answer.contains("www-authenticate: bearer"), "{answer}");
    assert_eq!(send(port, "GET", "/ext-authz/shop/health", &[]).await.0, 200);
    for elsewhere in
        ["/ext-authz/", "/ext-authz/shop", "/ext-authz//orders/7", "/ext-authz/other/orders/7"]
    {
        let (status, _) = send(port, "GET", elsewhere, &[("Authorization", &bearer)]).await;
        assert_eq!(status, 403, "{elsewhere}");
    }
    for Attack(method, target, extra) in ATTACKS {
        let (status, answer) = ask(method, target, extra).await;
        assert!(!(200..300).contains(&status), "{method} {target} {extra:?}: {answer}");
    }
}
