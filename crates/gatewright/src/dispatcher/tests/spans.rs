//! Each request has one span, with its query ID, its operation, and the caller's account.

use envoy_types::ext_authz::v3::pb::HttpResponse;
use tracing::Level;

use super::captured_spans::{CapturedSpan, CapturedSpans};
use super::envoy::Envoy;
use super::installation::{ACCOUNT, Credential, Installation, Payload};

/// The requests of a kind: what is sent, and the operation in the span.
struct Sent<'s> {
    request: (&'s str, &'s str),
    credential: Credential,
    payload: Payload<'s>,
    headers: &'s [(&'s str, &'s str)],
    status: u16,
    operation: &'s str,
}

impl<'s> Sent<'s> {
    fn new(request: (&'s str, &'s str), status: u16, operation: &'s str) -> Self {
        let (credential, payload) = (Credential::None, Payload::None);
        Self { request, credential, payload, headers: &[], status, operation }
    }

    fn with(self, credential: Credential, payload: Payload<'s>) -> Self {
        Self { credential, payload, ..self }
    }

    fn headers(self, headers: &'s [(&'s str, &'s str)]) -> Self {
        Self { headers, ..self }
    }
}

const URN: &str = "urn:v1:eu:resource:vps:web-1";
const POLICY: &str = r#"{"name":"p","identities":[],"resources":[],"permissions":{}}"#;
const EVALUATION: &str = r#"{"subject":{"type":"service_account","id":"EU.0"},
    "action":{"name":"vps:apiovh:reboot"},"resource":{"type":"vps","id":"web-1"}}"#;
const BOOK: [(&str, &str); 2] = [("x-original-method", "GET"), ("x-original-uri", "/books/7")];
const HOURS: [(&str, &str); 2] = [("x-original-method", "GET"), ("x-original-uri", "/hours")];
const UNDECLARED: [(&str, &str); 2] = [("x-original-method", "GET"), ("x-original-uri", "/x")];
const CHECK: &str = r#"{"actions":["vps:apiovh:reboot"]}"#;

/// Sends a request; returns its span, of which there must be one with the query ID and the operation.
async fn span_of(
    installation: &Installation,
    spans: &CapturedSpans,
    sent: &Sent<'_>,
) -> CapturedSpan {
    let Sent { request, credential, payload, headers, status, operation } = *sent;
    spans.take();
    let reply = installation.send(request, credential, payload, headers).await;
    assert_eq!(reply.status, status, "{request:?} {credential:?}: {}", reply.body);
    let all = spans.take();
    let mut of_requests = all.iter().filter(|span| span.name == "request");
    let span = of_requests.next().unwrap_or_else(|| panic!("{request:?} has no span"));
    assert!(of_requests.next().is_none(), "{request:?} has two spans");
    let query_id = reply.headers["x-ovh-queryid"].to_str().unwrap();
    assert_eq!(span.fields.get("query_id").map(String::as_str), Some(query_id), "{request:?}");
    assert_eq!(span.fields.get("operation").map(String::as_str), Some(operation), "{request:?}");
    span.clone()
}

#[tokio::test]
async fn each_request_has_a_span_with_its_query_id_its_operation_and_the_callers_account() {
    let installation = Installation::new().await;
    let token = format!("token={}", installation.token);
    let user_token = format!("{{\"subject\":{{\"type\":\"token\",\"id\":\"{}\"}},
        \"action\":{{\"name\":\"vps:apiovh:reboot\"}},\"resource\":{{\"type\":\"vps\",\"id\":\"web-1\"}}}}",
        installation.token);
    let check = format!("/v2/iam/resource/{URN}/authorization/check");
    let grant = Payload::Form("grant_type=client_credentials&scope=all");
    let sign_out = format!("form={}", csrf_token(&installation).await);
    let projects = "/role-adapter/urn:v1:eu:resource:publicCloudProject:pci/auth/oauth2/token";
    let (client, bearer) = (Credential::Client, Credential::Token);
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    for sent in [
        Sent::new(("GET", "/v2/iam/policy"), 200, "GET /iam/policy").with(bearer, Payload::None),
        Sent::new(("POST", "/v2/iam/policy"), 200, "POST /iam/policy")
            .with(bearer, Payload::Json(POLICY)),
        Sent::new(("POST", "/v2/iam/policy"), 400, "POST /iam/policy")
            .with(bearer, Payload::Json("{")),
        Sent::new(("GET", "/v1/me"), 200, "GET /me").with(bearer, Payload::None),
        Sent::new(("POST", &check), 200, "POST /iam/resource/{resourceURN}/authorization/check")
            .with(bearer, Payload::Json(CHECK)),
        Sent::new(("POST", "/access/v1/evaluation"), 200, "POST /access/v1/evaluation")
            .with(bearer, Payload::Json(EVALUATION)),
        Sent::new(("POST", "/access/v1/evaluation"), 200, "POST /access/v1/evaluation")
            .with(bearer, Payload::Json(&user_token)),
        Sent::new(("POST", "/auth/oauth2/token"), 200, "POST /auth/oauth2/token")
            .with(client, grant),
        Sent::new(("POST", "/auth/oauth2/token"), 400, "POST /auth/oauth2/token")
            .with(client, Payload::Form("grant_type=client_credentials&scope=nothing")),
        Sent::new(("POST", projects), 200, "POST /role-adapter/{projects}/auth/oauth2/token")
            .with(client, Payload::Form("grant_type=client_credentials&scope=openid")),
        Sent::new(("POST", "/auth/oauth2/introspect"), 200, "POST /auth/oauth2/introspect")
            .with(client, Payload::Form(&token)),
        Sent::new(("GET", "/forward-auth/nginx/library"), 200, "GET /forward-auth/{proxy}/{api}")
            .with(bearer, Payload::None)
            .headers(&BOOK),
        Sent::new(("GET", "/forward-auth/nginx/library"), 403, "GET /forward-auth/{proxy}/{api}")
            .with(bearer, Payload::None)
            .headers(&UNDECLARED),
        Sent::new(("GET", "/ext-authz/library/books/7"), 200, "GET /ext-authz/{api}/{target}")
            .with(bearer, Payload::None),
        Sent::new(("GET", "/me"), 200, "GET /me").with(Credential::Session, Payload::None),
        Sent::new(("GET", "/service-accounts/EU.0"), 404, "GET /service-accounts/{id}")
            .with(Credential::Session, Payload::None),
        // The last two end what the others need.
        Sent::new(("POST", "/sign-out"), 303, "POST /sign-out")
            .with(Credential::Session, Payload::Form(&sign_out)),
        Sent::new(("POST", "/auth/oauth2/revoke"), 200, "POST /auth/oauth2/revoke")
            .with(client, Payload::Form(&token)),
    ] {
        let span = span_of(&installation, &spans, &sent).await;
        let account = span.fields.get("account").map(String::as_str);
        assert_eq!(account, Some(ACCOUNT), "{:?}", sent.request);
    }
}

#[tokio::test]
async fn the_span_of_a_request_has_no_account_where_nobody_is_authenticated() {
    let installation = Installation::new().await;
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    let wrong = "grant_type=client_credentials&scope=all&client_id=EU.0&client_secret=x";
    for sent in [
        Sent::new(("GET", "/v2/iam/policy"), 401, "GET /iam/policy"),
        Sent::new(("GET", "/v2/iam/nothing"), 404, "GET"),
        Sent::new(("PATCH", "/v2/iam/policy"), 405, "PATCH"),
        Sent::new(("POST", "/auth/oauth2/token"), 400, "POST /auth/oauth2/token")
            .with(Credential::None, Payload::Form(wrong)),
        Sent::new(("GET", "/forward-auth/nginx/library"), 401, "GET /forward-auth/{proxy}/{api}")
            .headers(&BOOK),
        Sent::new(("GET", "/forward-auth/nginx/library"), 200, "GET /forward-auth/{proxy}/{api}")
            .headers(&HOURS),
        Sent::new(("GET", "/sign-in"), 200, "GET /sign-in"),
        Sent::new(("GET", "/lost"), 404, "GET").headers(&[("accept", "text/html")]),
        Sent::new(("GET", "/lost"), 404, "GET"),
    ] {
        let span = span_of(&installation, &spans, &sent).await;
        assert_eq!(span.fields.get("account"), None, "{:?}", sent.request);
    }
}

#[tokio::test]
async fn a_sign_in_has_the_account_of_the_person_in_its_span() {
    let installation = Installation::new().await;
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    let page = installation
        .send(
            ("GET", "/sign-in"),
            Credential::None,
            Payload::None,
            &[("cookie", "gatewright-form=x")],
        )
        .await;
    let form = format!(
        "form={}&login={ACCOUNT}&password=correct+horse+battery&next=/me",
        token_of_form(&page.body)
    );
    let sent = Sent::new(("POST", "/sign-in"), 303, "POST /sign-in")
        .with(Credential::None, Payload::Form(&form))
        .headers(&[("cookie", "gatewright-form=x")]);
    let span = span_of(&installation, &spans, &sent).await;
    assert_eq!(span.fields.get("account").map(String::as_str), Some(ACCOUNT));
}

#[tokio::test]
async fn the_span_of_envoys_request_has_the_callers_account() {
    let installation = Installation::new().await;
    let mut envoy = Envoy::connect(&installation).await;
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    for (path, is_allowed) in [("/books/7", true), ("/nothing", false)] {
        spans.take();
        let answer = envoy.ask(path).await;
        assert_eq!(matches!(answer, HttpResponse::OkResponse(_)), is_allowed);
        let all = spans.take();
        let span = all.iter().find(|span| span.name == "request").expect("a span");
        assert!(span.fields["query_id"].starts_with("EU.ext-"), "{span:?}");
        assert_eq!(span.fields["operation"], "POST /envoy.service.auth.v3.Authorization/Check");
        assert_eq!(span.fields.get("account").map(String::as_str), Some(ACCOUNT));
    }
}

#[tokio::test]
async fn each_statement_has_a_span_in_that_of_its_request() {
    let installation = Installation::new().await;
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    let request = ("POST", "/v2/iam/policy");
    let (credential, payload) = (Credential::Token, Payload::Json(POLICY));
    let reply = installation.send(request, credential, payload, &[]).await;
    let query_id = reply.headers["x-ovh-queryid"].to_str().unwrap();
    let all = spans.take();
    // Background tasks have statements as well, in no request.
    let is_own = |span: &&CapturedSpan| span.name == "statement" && !span.around.is_empty();
    let statements: Vec<_> = all.iter().filter(is_own).collect();
    for statement in &statements {
        let around: Vec<_> = statement.around.iter().map(|span| span.get("query_id")).collect();
        assert_eq!(around, [Some(&query_id.to_owned())], "{statement:?}");
        assert!(!statement.fields["statement"].is_empty());
    }
    let insert = statements.iter().find(|one| one.fields["statement"] == "OBJECT_ADD");
    let insert = insert.unwrap_or_else(|| panic!("{statements:?}"));
    assert_eq!((&*insert.fields["kind"], &*insert.fields["account"]), ("policy", ACCOUNT));
}

#[tokio::test]
async fn requests_that_are_answered_from_memory_have_no_span_at_the_usual_level() {
    let installation = Installation::new().await;
    let (spans, _guard) = CapturedSpans::start(Level::INFO);
    let request = ("GET", "/forward-auth/nginx/library");
    installation.send(request, Credential::Token, Payload::None, &BOOK).await;
    assert!(spans.take().is_empty());
    installation.send(("GET", "/v1/me"), Credential::Token, Payload::None, &[]).await;
    assert_eq!(spans.take().len(), 1);
}

async fn csrf_token(installation: &Installation) -> String {
    let page = installation.send(("GET", "/me"), Credential::Session, Payload::None, &[]).await;
    token_of_form(&page.body)
}

fn token_of_form(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"form\" value=\"").expect("a form");
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_wrong_client_identifier_costs_the_same_statements_as_a_wrong_secret() {
    let installation = Installation::new().await;
    let known = installation.service_account.client_id.to_string();
    let (spans, _guard) = CapturedSpans::start(Level::DEBUG);
    let mut statements = Vec::new();
    for id in [&*known, "EU.0000000000000000", &*known, "EU.0000000000000001"] {
        let form =
            format!("grant_type=client_credentials&scope=all&client_id={id}&client_secret=wrong");
        spans.take();
        let token = ("POST", "/auth/oauth2/token");
        let reply = installation.send(token, Credential::None, Payload::Form(&form), &[]).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        let all = spans.take();
        let of_statements = all.into_iter().filter_map(|mut span| span.fields.remove("statement"));
        statements.push(of_statements.collect::<Vec<String>>());
    }
    assert!(!statements[0].is_empty(), "{statements:?}");
    assert!(statements.iter().all(|one| *one == statements[0]), "{statements:?}");
}
