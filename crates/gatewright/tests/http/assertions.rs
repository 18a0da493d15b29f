//! Identity assertions, verified as a guarded API verifies them: by the published keys.

use std::process::Command;
use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::ext_authz::{Envoy, request};
use crate::programs::{examples, free_port};
use crate::server::{ACCOUNT, Caller, Server, http};

const BOOK: &str = "urn:v1:eu:resource:book:7";
const HEADER: &str = "x-gatewright-assertion";
const PATH: &str = "/books/7";

/// An API that demands assertions.
fn library() -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Library"}, "x-iam-assertion": true,
        "paths": {
            "/books/{isbn}": {"get": {
                "x-iam-actions": [{"name": "book:library:get"}],
                "x-iam-resource": {"type": "book", "in": "path", "name": "isbn"},
            }},
            "/hours": {"get": {"x-iam-public": true}},
        },
    })
}

/// Starts a server with the library, and returns a caller who may read one book.
async fn guarded(database: &TestDatabase, flags: &[&str]) -> (Server, Caller, Caller) {
    let server = Server::start_with(database, flags);
    let admin = server.admin().await;
    admin.put("/v2/iam/api/library", &library()).await.expect(200);
    let caller = server.stranger(&admin).await;
    admin.allow("seven", &caller, "book:library:get", BOOK).await;
    (server, admin, caller)
}

/// Asks by forward auth, as each proxy does; returns the status and the assertion.
async fn ask(
    caller: &Caller,
    (proxy, api): (&str, &str),
    (method, target): (&str, &str),
    extra: &[(&str, &str)],
) -> (u16, String) {
    let headers = match proxy {
        "nginx" => ["x-original-method", "x-original-uri"],
        _ => ["x-forwarded-method", "x-forwarded-uri"],
    };
    let url = format!("{}/forward-auth/{proxy}/{api}", caller.url);
    let request = http().get(url).header(headers[0], method).header(headers[1], target);
    said(caller, request, extra).await
}

/// Asks by `ext_authz` over HTTP.
async fn ask_ext_authz(caller: &Caller, target: &str, extra: &[(&str, &str)]) -> (u16, String) {
    said(caller, http().get(format!("{}/ext-authz/library{target}", caller.url)), extra).await
}

async fn said(
    caller: &Caller,
    request: reqwest::RequestBuilder,
    extra: &[(&str, &str)],
) -> (u16, String) {
    let request =
        extra.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request =
        if caller.token.is_empty() { request } else { request.bearer_auth(&caller.token) };
    let answer = request.send().await.unwrap();
    let signed = answer.headers().get(HEADER).map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), signed.unwrap_or_default())
}

/// Returns the URL that names an API as an audience.
pub(crate) fn audience(server: &Server, api: &str) -> String {
    format!("{}/v2/iam/api/{api}", server.url)
}

/// Verifies an assertion as a stranger's API does.
pub(crate) async fn verify(
    server: &Server,
    signed: &str,
    audience: &str,
) -> Result<Value, ErrorKind> {
    let keys = http().get(format!("{}/auth/oauth2/jwks", server.url)).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(signed).unwrap();
    assert_eq!(header.typ.as_deref(), Some("assertion+jwt"));
    let key = keys.find(&header.kid.unwrap()).expect("a published key");
    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation.set_issuer(&[&server.url]);
    validation.set_audience(&[audience]);
    let verified = decode(signed, &DecodingKey::from_jwk(key).unwrap(), &validation);
    verified.map(|token| token.claims).map_err(Error::into_kind)
}

on_both_databases!(an_api_verifies_who_asks_and_for_what_by_the_published_keys);
async fn an_api_verifies_who_asks_and_for_what_by_the_published_keys(database: TestDatabase) {
    let grpc = format!("127.0.0.1:{}", free_port());
    let (server, _, caller) = guarded(&database, &["--ext-authz-listen", &grpc]).await;
    let target = format!("{PATH}?lines=all");
    let mut envoy = Envoy::connect(&grpc).await;
    let asked = request(&caller.token, "GET", &target, &[]);
    let mut answers = vec![
        ask_ext_authz(&caller, &target, &[]).await.1,
        envoy.ask_about("library", asked).await.1.remove(HEADER).unwrap_or_default(),
    ];
    for proxy in ["nginx", "traefik", "caddy"] {
        let (status, signed) = ask(&caller, (proxy, "library"), ("GET", &target), &[]).await;
        assert_eq!(status, 200);
        answers.push(signed);
    }
    for signed in answers {
        let claims = verify(&server, &signed, &audience(&server, "library")).await.unwrap();
        assert_eq!((&claims["sub"], &claims["account"]), (&json!(caller.urn()), &json!(ACCOUNT)));
        assert_eq!(claims["client_id"], caller.id.as_str());
        assert_eq!((&claims["method"], &claims["path"]), (&json!("GET"), &json!(PATH)));
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((1..=60).contains(&lifetime), "{lifetime}");
        let other = verify(&server, &signed, &audience(&server, "shop")).await;
        assert_eq!(other, Err(ErrorKind::InvalidAudience));
    }
    let (_, signed) = ask(&caller, ("nginx", "library"), ("HEAD", PATH), &[]).await;
    let claims = verify(&server, &signed, &audience(&server, "library")).await.unwrap();
    assert_eq!(claims["method"], "HEAD");
}

on_both_databases!(an_assertion_is_no_token);
async fn an_assertion_is_no_token(database: TestDatabase) {
    let (server, _, caller) = guarded(&database, &[]).await;
    let book = ("GET", PATH);
    let (_, signed) = ask(&caller, ("caddy", "library"), book, &[]).await;
    verify(&server, &signed, &audience(&server, "library")).await.unwrap();
    let thief = server.bearing(&signed);
    assert_eq!(thief.get("/v1/auth/details").await.status, 401);
    assert_eq!(ask(&thief, ("caddy", "library"), book, &[]).await.0, 401);
    assert_eq!(ask_ext_authz(&thief, PATH, &[]).await.0, 401);
    let form = [("token", signed.as_str())];
    let introspect = http().post(format!("{}/auth/oauth2/introspect", server.url)).form(&form);
    let introspect = introspect.basic_auth(&server.client_id, Some(&server.client_secret));
    let found: Value = introspect.send().await.unwrap().json().await.unwrap();
    assert_eq!(found, json!({"active": false}));
}

on_both_databases!(what_a_client_asserts_itself_never_reaches_the_api);
async fn what_a_client_asserts_itself_never_reaches_the_api(database: TestDatabase) {
    let grpc = format!("127.0.0.1:{}", free_port());
    let (_server, _, caller) = guarded(&database, &["--ext-authz-listen", &grpc]).await;
    let mut envoy = Envoy::connect(&grpc).await;
    let (_, signed) = ask(&caller, ("caddy", "library"), ("GET", PATH), &[]).await;
    // Also not one that is valid, and not in another spelling.
    for name in ["X-Gatewright-Assertion", "X_Gatewright_Assertion"] {
        for value in [signed.as_str(), "a.b.c", ""] {
            let forged = [(name, value)];
            for proxy in ["nginx", "traefik", "caddy"] {
                for target in [PATH, "/hours"] {
                    let asked = ask(&caller, (proxy, "library"), ("GET", target), &forged).await;
                    assert_eq!(asked, (403, String::new()), "{proxy} {target} {forged:?}");
                }
            }
            assert_eq!(ask_ext_authz(&caller, PATH, &forged).await, (403, String::new()));
            let asked = request(&caller.token, "GET", PATH, &forged);
            let (code, headers) = envoy.ask_about("library", asked).await;
            assert_eq!((code, headers.get(HEADER)), (7, None), "{forged:?}");
        }
    }
}

on_both_databases!(only_an_allowed_caller_of_an_api_that_demands_it_has_an_assertion);
async fn only_an_allowed_caller_of_an_api_that_demands_it_has_an_assertion(database: TestDatabase) {
    let grpc = format!("127.0.0.1:{}", free_port());
    let (server, admin, caller) = guarded(&database, &["--ext-authz-listen", &grpc]).await;
    let none = |status: u16| (status, String::new());
    let library = ("traefik", "library");
    assert_eq!(ask(&caller, library, ("GET", "/books/8"), &[]).await, none(403));
    assert_eq!(ask(&caller, library, ("GET", "/hours"), &[]).await, none(200));
    assert_eq!(ask(&server.bearing(""), library, ("GET", PATH), &[]).await, none(401));
    let mut plain = self::library();
    plain["x-iam-assertion"] = json!(false);
    admin.put("/v2/iam/api/library", &plain).await.expect(200);
    assert_eq!(ask(&caller, library, ("GET", PATH), &[]).await, none(200));
    assert_eq!(ask_ext_authz(&caller, PATH, &[]).await, none(200));
    // Envoy is told to remove the header.
    let asked = request(&caller.token, "GET", PATH, &[]);
    let removed = Envoy::connect(&grpc).await.removed("library", asked).await;
    assert_eq!(removed, [HEADER]);
    plain["x-iam-assertion"] = json!("always");
    let refused = admin.put("/v2/iam/api/library", &plain).await;
    let message = refused.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("x-iam-assertion must be true or false"), "{message}");
}

on_both_databases!(an_assertion_verifies_after_the_keys_were_rotated);
async fn an_assertion_verifies_after_the_keys_were_rotated(database: TestDatabase) {
    let (server, _, caller) = guarded(&database, &[]).await;
    let library = ("nginx", "library");
    let (_, before) = ask(&caller, library, ("GET", PATH), &[]).await;
    assert!(server.setup().run(&["key", "rotate"]).0);
    let audience = audience(&server, "library");
    verify(&server, &before, &audience).await.unwrap();
    assert!(server.setup().run(&["key", "rotate", "--at-once"]).0);
    let end = Instant::now() + Duration::from_secs(30);
    let key = |signed: &str| decode_header(signed).unwrap().kid;
    let after = loop {
        let admin = server.admin().await;
        let (_, signed) = ask(&admin, library, ("GET", PATH), &[]).await;
        if !signed.is_empty() && key(&signed) != key(&before) {
            break signed;
        }
        assert!(Instant::now() < end, "no other key signs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    verify(&server, &after, &audience).await.unwrap();
}

/// The example of an API that verifies assertions, which prints the claims.
fn verify_in_python(server: &Server, request: &[&str]) -> (bool, String) {
    let python = std::env::var("GATEWRIGHT_TEST_PYTHON")
        .expect("GATEWRIGHT_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let mut command = Command::new(python);
    command.arg(examples().join("shop/assertion.py")).args(request);
    let output = command.env("GATEWRIGHT_URL", &server.url).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

on_both_databases!(the_example_accepts_an_assertion_for_its_own_request_alone);
async fn the_example_accepts_an_assertion_for_its_own_request_alone(database: TestDatabase) {
    let shop = examples().join("shop");
    let server = Server::start_with(&database, &["--products", shop.to_str().unwrap()]);
    let admin = server.admin().await;
    let (_, signed) = ask(&admin, ("caddy", "shop"), ("GET", "/orders/7?x=1"), &[]).await;
    let (done, said) = verify_in_python(&server, &["GET", "/orders/7", &signed]);
    assert!(done && said.contains(&admin.urn()), "{said}");
    admin.put("/v2/iam/api/library", &library()).await.expect(200);
    let (_, others) = ask(&admin, ("caddy", "library"), ("GET", PATH), &[]).await;
    let altered = format!("{signed}A");
    for (method, path, signed) in [
        ("DELETE", "/orders/7", signed.as_str()),
        ("GET", "/orders/8", &signed),
        ("GET", PATH, &others),
        ("GET", "/orders/7", &admin.token),
        ("GET", "/orders/7", &altered),
        ("GET", "/orders/7", "a.b.c"),
        ("GET", "/orders/7", ""),
    ] {
        let (done, said) = verify_in_python(&server, &[method, path, signed]);
        assert!(!done && said.contains("the assertion is refused"), "{method} {path}: {said}");
    }
    // The till is named by a header, so the assertion is for that header alone.
    let till = [("X-Till", "1")];
    let (_, signed) = ask(&admin, ("caddy", "shop"), ("GET", "/till"), &till).await;
    for (header, is_accepted) in [("x-till=1", true), ("x-till=2", false), ("x-other=1", false)] {
        let (done, said) = verify_in_python(&server, &["GET", "/till", &signed, header]);
        assert_eq!(done, is_accepted, "{header}: {said}");
    }
}
