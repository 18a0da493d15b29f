//! Identity assertions for guarded APIs.

use std::sync::Arc;

use gatewright_iam::{
    AuthorizedCaller, Expiry, Fault, ForwardedRequest, Iam, IamError, KeyRotation, Login, Secret,
    UserTokenInput,
};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::apis::library;
use crate::installation::{
    ACCOUNT, Caller, HOUR, Installation, bad_credential, fault, grant, not_found,
};

const BOOK: &str = "urn:v1:eu:resource:book:7";
const ISSUER: &str = "https://iam.test";
const AUDIENCE: &str = "https://iam.test/v2/iam/api/library";

/// Returns the declaration of a library that demands assertions, and lends one book to everybody.
fn demanding_library() -> Value {
    let mut document = library();
    document["x-iam-assertion"] = json!(true);
    document["paths"]["/hours"] = json!({"get": {"x-iam-public": true}});
    document["paths"]["/shelf"] = json!({"get": {
        "x-iam-actions": [{"name": "book:library:get"}],
        "x-iam-resource": {"type": "book", "in": "header", "name": "X-Book"},
    }});
    document
}

impl Installation {
    /// Declares the library, and allows a caller to read one book of it.
    async fn reader(&self, document: Value) -> Caller {
        let caller = self.stranger().await;
        self.iam.declare_api(&self.owner(), "library", Ok(document.to_string())).await.unwrap();
        self.allow(&caller.urn(), &["book:library:get"], &[BOOK]).await;
        caller
    }
}

async fn forward(
    iam: &Arc<Iam>,
    (method, target): (&str, &str),
    token: &Secret,
) -> Result<Option<AuthorizedCaller>, IamError> {
    let request = ForwardedRequest {
        api: "library",
        method,
        target,
        header: &|name| (name == "x-book").then_some("7"),
        upgrades: false,
        token: Ok(token.reveal()),
        ip: None,
        query_id: iam.new_query_id(),
        now: iam.now(),
    };
    iam.authorize_forwarded(&request).await.map_err(|refusal| refusal.error)
}

/// Returns the assertion of a request that is allowed.
async fn assertion(iam: &Arc<Iam>, request: (&str, &str), token: &Secret) -> Secret {
    let caller = forward(iam, request, token).await.unwrap().unwrap();
    caller.assertion.expect("an assertion")
}

/// Verifies a token as another program does: by the published keys, for an audience.
fn verify(iam: &Arc<Iam>, token: &Secret, audience: &str) -> Result<Value, ErrorKind> {
    let keys: JwkSet = serde_json::from_value(iam.jwks()).unwrap();
    let header = decode_header(token.reveal()).unwrap();
    let key = keys.find(&header.kid.unwrap()).expect("a published key");
    let mut validation = Validation::new(header.alg);
    // The test has a clock of its own.
    validation.validate_exp = false;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    let verified = decode(token.reveal(), &DecodingKey::from_jwk(key).unwrap(), &validation);
    verified.map(|token| token.claims).map_err(Error::into_kind)
}

#[tokio::test]
async fn an_assertion_names_the_caller_and_the_request_for_a_minute() {
    let installation = Installation::new().await;
    let caller = installation.reader(demanding_library()).await;
    let signed = assertion(&installation.iam, ("HEAD", "/books/7?page=2"), &caller.token).await;
    assert_eq!(decode_header(signed.reveal()).unwrap().typ.as_deref(), Some("assertion+jwt"));
    let mut claims = verify(&installation.iam, &signed, AUDIENCE).unwrap();
    let id = claims["jti"].take();
    assert!(id.as_str().unwrap().starts_with("EU.ext-"), "{id}");
    let now = installation.now().seconds();
    let said = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": caller.urn(),
        "account": ACCOUNT,
        "client_id": caller.client.id.as_str(),
        "token_id": caller.context.principal.token_id().unwrap().as_str(),
        "method": "HEAD",
        "path": "/books/7",
        "iat": now,
        "exp": now + 60,
        "jti": null,
    });
    assert_eq!(claims, said);
    let other = "https://iam.test/v2/iam/api/shop";
    assert_eq!(verify(&installation.iam, &signed, other), Err(ErrorKind::InvalidAudience));
    let again = assertion(&installation.iam, ("HEAD", "/books/7?page=2"), &caller.token).await;
    assert_ne!(verify(&installation.iam, &again, AUDIENCE).unwrap()["jti"], id, "each has its own");
}

#[tokio::test]
async fn an_assertion_names_the_headers_that_were_decided_on() {
    let installation = Installation::new().await;
    let caller = installation.reader(demanding_library()).await;
    let signed = assertion(&installation.iam, ("GET", "/shelf"), &caller.token).await;
    let claims = verify(&installation.iam, &signed, AUDIENCE).unwrap();
    assert_eq!(claims["headers"], json!({"x-book": "7"}));
}

#[tokio::test]
async fn a_user_has_an_assertion_without_a_client() {
    let installation = Installation::new().await;
    installation.reader(demanding_library()).await;
    let urn = installation.user("jane", &[]).await;
    installation.allow(&urn, &["book:library:get"], &[BOOK]).await;
    let (owner, jane) = (installation.owner(), Login::new("jane"));
    let description = String::new();
    let new = UserTokenInput { name: "t".to_owned(), description, expiry: Expiry::Never };
    let (_, token) = installation.iam.create_user_token(&owner, &jane, Ok(new)).await.unwrap();
    let signed = assertion(&installation.iam, ("GET", "/books/7"), &token).await;
    let claims = verify(&installation.iam, &signed, AUDIENCE).unwrap();
    assert_eq!((&claims["sub"], claims.get("client_id")), (&json!(urn), None));
    assert!(claims["token_id"].is_string());
}

#[tokio::test]
async fn there_is_none_without_a_demand_a_caller_or_a_permission() {
    let installation = Installation::new().await;
    let mut refusing = library();
    refusing["x-iam-assertion"] = json!(false);
    for (document, demands) in [(library(), false), (refusing, false), (demanding_library(), true)]
    {
        let caller = installation.reader(document).await;
        let book = ("GET", "/books/7");
        let allowed = forward(&installation.iam, book, &caller.token).await.unwrap().unwrap();
        assert_eq!(allowed.assertion.is_some(), demands);
    }
    let caller = installation.stranger().await;
    let public = forward(&installation.iam, ("GET", "/hours"), &caller.token).await;
    assert!(matches!(public, Ok(None)), "{public:?}");
    let denied = forward(&installation.iam, ("GET", "/books/7"), &caller.token).await;
    assert!(matches!(denied, Err(IamError::Forbidden { .. })), "{denied:?}");
}

#[tokio::test]
async fn an_assertion_opens_nothing_and_a_token_asserts_nothing() {
    let installation = Installation::new().await;
    let caller = installation.reader(demanding_library()).await;
    let signed = assertion(&installation.iam, ("GET", "/books/7"), &caller.token).await;
    bad_credential(installation.context_of(&signed).await);
    let refused = forward(&installation.iam, ("GET", "/books/7"), &signed).await;
    assert!(matches!(refused, Err(IamError::BadCredential)), "{refused:?}");
    let (iam, about) =
        (&installation.iam, (None, installation.iam.new_query_id(), installation.now()));
    let (id, secret) = (&caller.client.id, &caller.secret);
    let found = iam.introspect(id, secret, signed.reveal(), about).await.unwrap();
    assert!(found.is_none(), "{found:?}");
    // A token of the same caller is for another audience, and of another type.
    assert_eq!(verify(&installation.iam, &caller.token, AUDIENCE), Err(ErrorKind::InvalidAudience));
    assert_eq!(decode_header(caller.token.reveal()).unwrap().typ.as_deref(), Some("at+jwt"));
}

#[tokio::test]
async fn an_assertion_verifies_before_and_after_a_new_key_signs() {
    let installation = Installation::new().await;
    let caller = installation.reader(demanding_library()).await;
    let before = assertion(&installation.iam, ("GET", "/books/7"), &caller.token).await;
    // Of two keys of the same instant, either would be the first.
    installation.pass(HOUR);
    let id = installation.iam.rotate_key(KeyRotation::Planned).await.unwrap();
    installation.pass(2 * HOUR);
    let about = (None, installation.iam.new_query_id(), installation.now());
    let request = grant(&caller.client.id, &caller.secret, "all");
    let token = installation.iam.issue(&request, about).await.unwrap().access_token;
    // Another process reads the keys anew.
    let iam = installation.elsewhere().await;
    let after = assertion(&iam, ("GET", "/books/7"), &token).await;
    assert_eq!(decode_header(after.reveal()).unwrap().kid, Some(id.clone()));
    assert_ne!(decode_header(before.reveal()).unwrap().kid, Some(id));
    for signed in [before, after] {
        verify(&iam, &signed, AUDIENCE).unwrap();
    }
}

#[tokio::test]
async fn an_assertion_is_not_printed() {
    let installation = Installation::new().await;
    let caller = installation.reader(demanding_library()).await;
    let allowed = forward(&installation.iam, ("GET", "/books/7"), &caller.token).await.unwrap();
    let shown = format!("{allowed:?}");
    assert!(shown.contains("assertion: Some(Secret(…))"), "{shown}");
}

#[tokio::test]
async fn a_demand_that_is_unclear_is_refused() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let declare = async |document: Value| {
        let refused = iam.declare_api(&owner, "library", Ok(document.to_string())).await;
        let message = refused.as_ref().unwrap_err().to_string();
        assert_eq!(fault(refused), Fault::Parameter, "{message}");
        message
    };
    for unclear in [json!("true"), json!("yes"), json!(1), json!(null), json!({}), json!([true])] {
        let mut document = library();
        document["x-iam-assertion"] = unclear;
        let message = declare(document).await;
        assert!(message.contains("x-iam-assertion must be true or false"), "{message}");
    }
    for place in ["", "/get"] {
        let mut document = library();
        let place = format!("/paths/~1books~1{{isbn}}{place}");
        document.pointer_mut(&place).unwrap()["x-iam-assertion"] = json!(true);
        let message = declare(document).await;
        assert!(message.contains("/books/{isbn}: x-iam-assertion is about the whole"), "{message}");
    }
    not_found(iam.guarded_api(&owner, "library").await);
}
