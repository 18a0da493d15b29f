//! Tokens: issued, verified, introspected, revoked.

use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, HTTPS, Reply, Server, http};

async fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> Reply {
    let request = http().post(format!("{}{path}", server.url));
    Reply::of(request.form(fields)).await
}

/// Returns the claims of a token, verified with the public keys alone.
async fn verified_by_others(server: &Server, token: &str) -> Value {
    let keys = http().get(format!("{}/auth/oauth2/jwks", server.url)).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(&header.kid.unwrap()).expect("the key of the token");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&server.url]);
    validation.set_issuer(&[&server.url]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

on_both_databases!(a_token_is_given_for_basic_and_for_body_credentials);
async fn a_token_is_given_for_basic_and_for_body_credentials(database: TestDatabase) {
    let server = Server::start(&database);
    let (id, secret) = (server.client_id.as_str(), server.client_secret.as_str());
    let basic = server.token(id, secret, "all").await;
    assert_eq!(basic.status, 200);
    assert_eq!(basic.header("cache-control"), "no-store");
    assert_eq!(basic.header("content-type"), "application/json");
    assert_eq!(basic.body["token_type"], "Bearer");
    assert_eq!(basic.body["expires_in"], 3599);
    assert_eq!(basic.body["scope"], "all");
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", "openid all profile email"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    for path in ["/auth/oauth2/token", "/oauth2/token"] {
        let body = form(&server, path, &fields).await.expect(200);
        assert_eq!(body["scope"], "openid all profile email");
    }
}

on_both_databases!(a_wrong_identifier_and_a_wrong_secret_look_the_same);
async fn a_wrong_identifier_and_a_wrong_secret_look_the_same(database: TestDatabase) {
    let server = Server::start(&database);
    let id = server.client_id.as_str();
    let wrong_secret = server.token(id, "gws_wrong", "all").await;
    let wrong_id = server.token("EU.0000000000000000", &server.client_secret, "all").await;
    assert!(wrong_secret.header("www-authenticate").starts_with("Basic"));
    assert_eq!((wrong_secret.status, wrong_id.status), (401, 401));
    assert_eq!(wrong_secret.body, wrong_id.body);
    assert_eq!(wrong_id.body["error"], "invalid_client");
    for (id, secret) in [(id, "wrong"), ("EU.nobody", "wrong"), ("\0", "\0")] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "all"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let reply = form(&server, "/auth/oauth2/token", &fields).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.body, wrong_id.body);
    }
}

on_both_databases!(a_bad_token_request_is_told_what_is_wrong);
async fn a_bad_token_request_is_told_what_is_wrong(database: TestDatabase) {
    let server = Server::start(&database);
    let (id, secret) = (server.client_id.as_str(), server.client_secret.as_str());
    for scope in ["", "account/read", "everything", "all nonsense"] {
        let reply = server.token(id, secret, scope).await;
        assert_eq!(reply.expect(400)["error"], "invalid_scope", "{scope}");
    }
    let error = async |fields: &[(&str, &str)]| {
        form(&server, "/auth/oauth2/token", fields).await.expect(400)["error"].clone()
    };
    assert_eq!(error(&[]).await, "invalid_request");
    assert_eq!(error(&[("grant_type", "password")]).await, "unsupported_grant_type");
    assert_eq!(error(&[("grant_type", "client_credentials")]).await, "invalid_client");
    let twice = [("grant_type", "client_credentials"), ("grant_type", "client_credentials")];
    assert_eq!(error(&twice).await, "invalid_request");
    let http = http();
    let url = format!("{}/auth/oauth2/token", server.url);
    let reply = Reply::of(http.post(&url).json(&json!({"grant_type": "x"}))).await;
    assert_eq!(reply.expect(400)["error"], "invalid_request");
    let both = [("grant_type", "client_credentials"), ("client_secret", secret)];
    let reply = Reply::of(http.post(&url).basic_auth(id, Some(secret)).form(&both)).await;
    assert_eq!(reply.expect(400)["error"], "invalid_request");
    let reply = Reply::of(http.post(&url).body(vec![0xff, 0xfe])).await;
    assert_eq!(reply.status, 400);
    let reply = Reply::of(http.get(&url)).await;
    assert_eq!(reply.status, 405);
}

on_both_databases!(a_change_of_algorithm_keeps_the_tokens_of_before);
async fn a_change_of_algorithm_keeps_the_tokens_of_before(database: TestDatabase) {
    let setup = crate::server::Setup::new(&database, &HTTPS);
    let robot = setup.create_account(ACCOUNT);
    let (mut child, url, _) = setup.spawn();
    let id = robot["clientId"].as_str().unwrap();
    let secret = robot["clientSecret"].as_str();
    let fields = [("grant_type", "client_credentials"), ("scope", "all")];
    let request = http().post(format!("{url}/auth/oauth2/token"));
    let reply = Reply::of(request.basic_auth(id, secret).form(&fields)).await.expect(200);
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, url, _) = setup.with(&["--algorithm", "EdDSA"]).spawn();
    let token = reply["access_token"].as_str().unwrap();
    let me = Reply::of(http().get(format!("{url}/v1/me")).bearer_auth(token));
    assert_eq!(me.await.status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

on_both_databases!(a_rotated_key_is_published_before_it_signs);
async fn a_rotated_key_is_published_before_it_signs(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let before = keys(&server).await;
    let (done, said) = server.setup().run(&["key", "rotate"]);
    assert!(done && said.contains("signs in an hour"), "{said}");
    until(async || keys(&server).await.len() == 2).await;
    admin.get("/v1/me").await.expect(200);
    let still = server.admin().await;
    assert_eq!(decode_header(&still.token).unwrap().kid.as_ref(), before.first());
}

on_both_databases!(after_an_emergency_only_the_new_key_counts);
async fn after_an_emergency_only_the_new_key_counts(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.get("/v1/me").await.expect(200);
    let before = keys(&server).await;
    let (done, said) = server.setup().run(&["key", "rotate", "--at-once"]);
    assert!(done, "{said}");
    until(async || admin.get("/v1/me").await.status == 401).await;
    let after = keys(&server).await;
    assert!(after.len() == 1 && after != before);
    server.admin().await.get("/v1/me").await.expect(200);
}

on_both_databases!(discovery_says_what_there_is_whatever_host_is_asked);
async fn discovery_says_what_there_is_whatever_host_is_asked(database: TestDatabase) {
    let server = Server::start(&database);
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let request = http().get(format!("{}{path}", server.url));
        let found = Reply::of(request.header("host", "evil.example")).await.expect(200);
        assert_eq!(found["issuer"], server.url);
        assert_eq!(found["token_endpoint"], format!("{}/auth/oauth2/token", server.url));
        assert_eq!(found["jwks_uri"], format!("{}/auth/oauth2/jwks", server.url));
        assert_eq!(found["grant_types_supported"], json!(["client_credentials"]));
    }
}

on_both_databases!(a_token_that_is_not_ours_is_refused);
async fn a_token_that_is_not_ours_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let good = admin.token.clone();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!() };
    let none = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0";
    let cut = &good[..good.len() - 1];
    let mut other = signature.to_string();
    let first = if other.starts_with('A') { "B" } else { "A" };
    other.replace_range(0..1, first);
    for token in [
        "",
        "x",
        "a.b.c",
        cut,
        &format!("{good}x"),
        &format!("{good}."),
        &format!("{none}.{claims}."),
        &format!("{none}.{claims}.{signature}"),
        &format!("{header}.{header}.{signature}"),
        &format!("{header}.{claims}.{other}"),
        &format!("{header}.{claims}."),
        &good.repeat(20),
    ] {
        let reply = server.bearing(token).get("/v1/me").await;
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        let message = reply.refused(401, "Client::Unauthorized");
        let known = ["This credential is not valid", "You must login first"];
        assert!(known.contains(&message.as_str()), "{token}: {message}");
    }
    admin.get("/v1/me").await.expect(200);
    let twice = admin.request(Method::GET, "/v1/me").header("authorization", "Bearer x");
    assert_eq!(Reply::of(twice).await.status, 401);
}

on_both_databases!(a_token_ends_with_its_service_account);
async fn a_token_ends_with_its_service_account(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let other = server.stranger(&admin).await;
    assert_eq!(other.get("/v1/auth/details").await.status, 200);
    let path = format!("/v1/me/api/oauth2/client/{}", other.id);
    assert_eq!(admin.delete(&path).await.expect(200), Value::Null);
    other.get("/v1/auth/details").await.refused(401, "Client::Unauthorized");
    let body = json!({"actions": [], "resourceURNs": []});
    let check = other.post("/v2/iam/authorization/check", &body).await;
    assert_eq!(check.body["errorCode"], "INVALID_CREDENTIAL");
    let asked = introspected(&server, &other.token).await;
    assert_eq!(asked, json!({"active": false}));
    admin.delete(&path).await.refused(404, "Client::NotFound");
}

on_both_databases!(introspection_says_whether_a_token_counts);
async fn introspection_says_whether_a_token_counts(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let found = introspected(&server, &admin.token).await;
    assert_eq!(found["active"], true);
    assert_eq!(found["sub"], admin.urn());
    assert_eq!(found["scope"], "all");
    assert_eq!(found["client_id"], admin.id.as_str());
    assert_eq!(introspected(&server, "nonsense").await, json!({"active": false}));
    let path = "/auth/oauth2/introspect";
    assert_eq!(form(&server, path, &[("token", &admin.token)]).await.status, 400);
}

on_both_databases!(a_revoked_token_stays_revoked);
async fn a_revoked_token_stays_revoked(database: TestDatabase) {
    let mut server = Server::start_with(&database, &HTTPS);
    let admin = server.admin().await;
    let spared = server.admin().await;
    let stranger = server.stranger(&spared).await;
    let proof = |token: &'static str| {
        [
            ("client_id", server.client_id.clone()),
            ("client_secret", server.client_secret.clone()),
            ("token", token.to_owned()),
        ]
    };
    let revoke = async |token: &str| {
        let mut fields = proof("");
        token.clone_into(&mut fields[2].1);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        form(&server, "/auth/oauth2/revoke", &fields).await
    };
    assert_eq!(revoke(&admin.token).await.status, 200);
    assert_eq!(revoke(&admin.token).await.status, 200);
    assert_eq!(revoke("nonsense").await.status, 200);
    assert_eq!(revoke(&stranger.token).await.expect(400)["error"], "unauthorized_client");
    admin.get("/v1/me").await.refused(401, "Client::Unauthorized");
    spared.get("/v1/me").await.expect(200);
    stranger.get("/v1/auth/details").await.expect(200);
    server.crash();
    server.bearing(&admin.token).get("/v1/me").await.refused(401, "Client::Unauthorized");
    server.bearing(&spared.token).get("/v1/me").await.expect(200);
}

on_both_databases!(a_tokens_scope_cuts_what_its_owner_may_do);
async fn a_tokens_scope_cuts_what_its_owner_may_do(database: TestDatabase) {
    let server = Server::start(&database);
    let scope = "account/all";
    let caller = server.login_for(&server.client_id, &server.client_secret, scope).await;
    caller.get("/v1/me").await.expect(200);
    let vps = "urn:v1:eu:resource:vps:a";
    assert!(!caller.may("vps:apiovh:get", vps).await);
    let caller = server.login_for(&server.client_id, &server.client_secret, "vps/all").await;
    assert!(caller.may("vps:apiovh:get", vps).await);
    let reply = caller.get("/v1/me").await;
    assert_eq!(
        reply.body["details"],
        json!({
            "unauthorizedActionsByIAM": "",
            "unauthorizedActionsByAuthentication": "account:apiovh:me/get",
        })
    );
    reply.refused(403, "Client::Forbidden");
}

on_both_databases!(one_says_who_one_is);
async fn one_says_who_one_is(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let details = admin.get("/1.0/auth/details").await.expect(200);
    assert_eq!(details["account"], ACCOUNT);
    assert_eq!(details["method"], "oauth2_client_credentials");
    assert_eq!(details["identities"], json!([admin.urn()]));
    let time = http().get(format!("{}/1.0/auth/time", server.url)).send().await.unwrap();
    let time: i64 = time.text().await.unwrap().parse().unwrap();
    assert!(time > 1_700_000_000);
}

/// Returns the identifiers of the published keys.
async fn keys(server: &Server) -> Vec<String> {
    let keys = http().get(format!("{}/auth/oauth2/jwks", server.url)).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    keys.keys.into_iter().filter_map(|key| key.common.key_id).collect()
}

/// Waits some seconds for a condition.
async fn until(is_so: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < end, "it never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn introspected(server: &Server, token: &str) -> Value {
    let fields = [
        ("client_id", server.client_id.as_str()),
        ("client_secret", server.client_secret.as_str()),
        ("token", token),
    ];
    form(server, "/auth/oauth2/introspect", &fields).await.expect(200)
}

#[tokio::test]
async fn others_check_a_token_by_the_published_keys() {
    for (algorithm, name) in [("ES256", "ES256"), ("EdDSA", "EdDSA"), ("rs256", "RS256")] {
        let database = TestDatabase::sqlite();
        let server = Server::start_with(&database, &["--algorithm", algorithm]);
        let admin = server.admin().await;
        let header = decode_header(&admin.token).unwrap();
        assert_eq!(format!("{:?}", header.alg), name);
        let claims = verified_by_others(&server, &admin.token).await;
        assert_eq!(claims["sub"], admin.urn());
        assert_eq!(claims["client_id"], admin.id.as_str());
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        admin.get("/v1/me").await.expect(200);
    }
}
