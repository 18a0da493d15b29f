//! The limits of the rates of requests, as clients and proxies meet them.

use gatewright_panel::{Access, routes};
use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::openapi::document as document_of;
use crate::panel_client::{PanelClient, csrf_token};
use crate::server::{ACCOUNT, Caller, HTTPS, Reply, Server, http, part};

/// Sends requests until one is refused for its rate; returns the refusal, by its status.
async fn until_refused(status: u16, send: impl AsyncFn() -> Reply) -> Reply {
    for _ in 0..200 {
        let reply = send().await;
        if reply.status == status {
            return reply;
        }
    }
    panic!("never refused");
}

async fn until_limited(send: impl AsyncFn() -> Reply) -> Reply {
    until_refused(429, send).await
}

fn tells_the_limit(reply: &Reply, name: &str) {
    let retry_after: u64 = reply.header("retry-after").parse().unwrap();
    let (policy, state) = (reply.header("ratelimit-policy"), reply.header("ratelimit"));
    assert!(policy.starts_with(&format!("\"{name}\";q=")), "{policy}");
    assert_eq!(state, format!("\"{name}\";r=0;t={retry_after}"));
    assert!(retry_after > 0);
}

async fn edit(caller: &Caller) -> Reply {
    caller.put("/v1/me", &json!({"city": "Roubaix"})).await
}

async fn changes_are_limited_and_deletions_are_not(database: TestDatabase) {
    let server = Server::start_with(&database, &["--rate-writes", "2"]);
    let admin = server.admin().await;
    let other = server.stranger(&admin).await;
    let first = edit(&admin).await;
    assert!(first.header("ratelimit").starts_with("\"writes-per-credential\";r="));
    let reply = until_limited(async || edit(&admin).await).await;
    tells_the_limit(&reply, "writes-per-credential");
    reply.refused(429, "Client::TooManyRequests");
    // Reads, decisions and tokens are other classes, and others may still write.
    admin.get("/v1/me").await.expect(200);
    assert!(admin.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:web-1").await);
    edit(&other).await.refused(403, "Client::Forbidden");
    // What ends something always works.
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", other.id)).await.expect(200);
    let form = [("token", admin.token.as_str())];
    let revoke = http().post(format!("{}/auth/oauth2/revoke", server.url));
    let revoke = revoke.basic_auth(&server.client_id, Some(&server.client_secret)).form(&form);
    Reply::of(revoke).await.expect(200);
    admin.get("/v1/me").await.refused(401, "Client::Unauthorized");
}

on_both_databases!(changes_are_limited_and_deletions_are_not);

#[tokio::test]
async fn large_changes_are_limited_by_their_size() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, &["--rate-journal", "1"]);
    let admin = server.admin().await;
    let name = |number| format!("urn:v1:eu:resource:vps:{number}-{}", "x".repeat(900));
    let resources: Vec<Value> = (0..100).map(|number| json!({"urn": name(number)})).collect();
    let policy = |name: String| {
        json!({
            "name": name, "identities": [admin.urn()], "resources": resources,
            "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
        })
    };
    // What is refused does not count.
    for _ in 0..30 {
        let refused = json!({"city": "x".repeat(100_000)});
        assert_eq!(admin.put("/v1/me", &refused).await.status, 400);
    }
    edit(&admin).await.expect(200);
    let reply = until_limited(async || {
        let name = format!("large-{}", fastrand::u64(..));
        admin.post("/v2/iam/policy", &policy(name)).await
    });
    let reply = reply.await;
    tells_the_limit(&reply, "journal");
    admin.get("/v1/me").await.expect(200);
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", server.client_id)).await.expect(200);
}

/// Exhausts what an account may add to its journal, by more and more callers; returns an
/// administrator whose changes are refused from the first on.
async fn exhaust_journal(server: &Server, admin: &Caller) -> Caller {
    let name = |number| format!("urn:v1:eu:resource:vps:{number}-{}", "x".repeat(900));
    let resources: Vec<Value> = (0..100).map(|number| json!({"urn": name(number)})).collect();
    let administrator = async |number: usize| {
        let one = server.stranger(admin).await;
        admin.allow(&format!("all-{number}"), &one, "*", "urn:v1:eu:resource:*").await;
        one
    };
    let mut callers = Vec::new();
    for number in 0..10 {
        callers.push(administrator(number).await);
    }
    while let Some(caller) = callers.pop() {
        if edit(&caller).await.status == 429 {
            return caller;
        }
        let create = until_limited(async || {
            let policy = json!({
                "name": format!("large-{}", fastrand::u64(..)), "identities": [],
                "resources": resources, "permissions": {"allow": []},
            });
            caller.post("/v2/iam/policy", &policy).await
        });
        tells_the_limit(&create.await, "journal");
    }
    panic!("the account is never refused");
}

/// Returns whether an operation or a form ends something, by the words of its path.
fn ends_something(path: &str) -> bool {
    let ends = ["/delete", "/disable", "/end", "/remove", "/detach", "/revoke", "/sign-out"];
    ends.iter().any(|end| path.ends_with(end))
}

/// Returns every operation of the API that changes something, as method and path.
async fn changing_operations(server: &Server) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (document, version) in [("v1", "/v1"), ("v2", "/v2")] {
        let document = document_of(server, document).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                let operation = &operations[method.as_str().to_lowercase()];
                if operation.is_object() {
                    found.push((method, format!("{version}{path}")));
                }
            }
        }
    }
    found
}

/// Fills each parameter of a path with the name of nothing.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{policyId}" | "{groupId}" => "00000000-0000-0000-0000-000000000000",
        part if part.ends_with("URN}") => "urn:v1:eu:resource:vps:none",
        part if part.starts_with('{') => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn at_exhausted_rates_everything_that_ends_something_works_and_nothing_else() {
    let exhausted = ["--rate-writes", "1", "--rate-decisions", "1", "--rate-reads", "1"];
    for flags in [&exhausted[..], &["--rate-journal", "1"]] {
        let database = TestDatabase::sqlite();
        let server = Server::start_with(&database, flags);
        let admin = server.admin().await;
        let named = server.stranger(&admin).await;
        let policy =
            admin.allow("p", &named, "vps:apiovh:reboot", "urn:v1:eu:resource:vps:a").await;
        let mut visitor = PanelClient::new(&server);
        visitor.sign_in(ACCOUNT, &server.password).await;
        let token = csrf_token(&visitor.get("/me").await.html);
        let caller = if flags.len() == 2 { exhaust_journal(&server, &admin).await } else { admin };
        for (method, path) in changing_operations(&server).await {
            let send = async || {
                let request = caller.request(method.clone(), &filled(&path));
                Reply::of(request.json(&json!({}))).await
            };
            if method == Method::DELETE || ends_something(&path) {
                let status = send().await.status;
                assert!((200..500).contains(&status) && status != 429, "{method} {path}: {status}");
            } else if flags.len() > 2 || !path.ends_with("/check") {
                until_limited(send).await.refused(429, "Client::TooManyRequests");
            }
        }
        for route in routes().into_iter().filter(|route| route.method() == Method::POST) {
            let path = filled(route.path());
            if route.path() == "/sign-out" || route.access() == Access::Public {
                continue;
            }
            if ends_something(route.path()) {
                let seen = visitor.post_with(&token, &path, &[]).await;
                assert!(seen.status < 500 && seen.status != 429, "{path}: {}", seen.status);
                continue;
            }
            let mut statuses = Vec::new();
            while !statuses.contains(&429) {
                assert!(statuses.len() < 100, "{path}: {statuses:?}");
                statuses.push(visitor.post_with(&token, &path, &[]).await.status);
            }
        }
        assert_eq!(visitor.post_with(&token, "/sign-out", &[]).await.status, 303);
        let policy = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
        let detach = format!("{policy}/identity/{}", part(&named.urn()));
        caller.delete(&detach).await.expect(204);
        caller.delete(&detach).await.refused(404, "Client::NotFound");
        let nobody = caller.delete(&format!("{policy}/identity/nobody")).await;
        nobody.refused(400, "Client::BadRequest::INVALID_RESOURCE_URN");
        caller.delete(&policy).await.expect(204);
    }
}

#[tokio::test]
async fn wrong_secrets_are_limited_and_the_right_one_never() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, &["--rate-failures", "1"]);
    let wrong = async || server.token(&server.client_id, "wrong", "all").await;
    let reply = until_limited(wrong).await;
    tells_the_limit(&reply, "failures-per-network");
    assert_eq!(reply.body["error"], "temporarily_unavailable");
    assert_eq!(reply.header("cache-control"), "no-store");
    let admin = server.admin().await;
    let forged = async || server.bearing("forged").get("/v1/me").await;
    until_limited(forged).await.refused(429, "Client::TooManyRequests");
    admin.get("/v1/me").await.expect(200);
    let metrics = http().get(format!("{}/metrics", server.operations)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let line = "gatewright_rate_limited_total{limit=\"failures-per-network\"}";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn tokens_beyond_the_limit_of_a_client_are_refused_in_the_words_of_oauth2() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, &["--rate-tokens", "1"]);
    let (id, secret) = (&server.client_id, &server.client_secret);
    let reply = until_limited(async || server.token(id, secret, "all").await).await;
    tells_the_limit(&reply, "tokens-per-client");
    assert_eq!(reply.body["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn a_proxy_hears_of_a_limit_what_it_understands() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, &["--rate-decisions", "1"]);
    let admin = server.admin().await;
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/orders": {"get": {
            "x-iam-actions": [{"name": "account:shop:orders/get", "required": true}],
            "x-iam-resource": {"type": "account", "in": "account"},
        }}},
    });
    admin.put("/v2/iam/api/shop", &document).await.expect(200);
    let ask = async |proxy: &str, method: &str, target: &str| {
        let path = format!("/forward-auth/{proxy}/shop");
        let request = admin.request(Method::GET, &path).header(method, "GET");
        Reply::of(request.header(target, "/orders")).await
    };
    let traefik =
        until_limited(async || ask("traefik", "x-forwarded-method", "x-forwarded-uri").await);
    tells_the_limit(&traefik.await, "decisions-per-credential");
    let nginx =
        until_refused(403, async || ask("nginx", "x-original-method", "x-original-uri").await);
    let nginx = nginx.await;
    assert!(nginx.header("x-gatewright-reason").contains("Too many requests"), "{nginx:?}");
    nginx.refused(403, "Client::Forbidden");
    assert_eq!(admin.get("/v1/me").await.expect(200)["nichandle"], ACCOUNT);
}

#[tokio::test]
async fn whether_a_revision_exists_is_told_to_callers_alone() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let ask = async |token: &str, path: &str, revision: &str| {
        let request = server.bearing(token).request(Method::GET, path);
        Reply::of(request.header("X-Gatewright-At-Least", revision)).await
    };
    for revision in [format!("{ACCOUNT}:1"), format!("{ACCOUNT}:999999"), "zz9-ovh:1".to_owned()] {
        ask("forged", "/v1/me", &revision).await.refused(401, "Client::Unauthorized");
    }
    ask(&admin.token, "/v1/me", "zz9-ovh:1")
        .await
        .refused(400, "Client::BadRequest::INVALID_PARAMETER");
    ask(&admin.token, "/v1/me", &format!("{ACCOUNT}:1")).await.expect(200);
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    for (secret, status) in [("wrong", 401), (server.client_secret.as_str(), 400)] {
        let request = http().post(format!("{}/auth/oauth2/token", server.url)).form(&form);
        let request = request.basic_auth(&server.client_id, Some(secret));
        let reply = Reply::of(request.header("X-Gatewright-At-Least", "zz9-ovh:1")).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
}

#[tokio::test]
async fn browsers_are_told_to_be_careful_with_every_answer() {
    for (flags, hsts) in [(&HTTPS[..], "max-age=31536000"), (&[], "")] {
        let database = TestDatabase::sqlite();
        let server = Server::start_with(&database, flags);
        let admin = server.admin().await;
        for path in ["/v1/me", "/v1/nothing", "/openapi/v2.json", "/auth/oauth2/jwks", "/sign-in"] {
            let request = admin.http.get(format!("{}{path}", server.url));
            let response = request.bearer_auth(&admin.token).send().await.unwrap();
            let header = |name: &str| {
                response.headers().get(name).map_or("", |value| value.to_str().unwrap())
            };
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("strict-transport-security"), hsts, "{path}");
        }
        // A proxy may pass the answer on to browsers of its own host.
        let asked = admin.get("/forward-auth/nginx/shop").await;
        assert_eq!(asked.header("strict-transport-security"), "");
    }
}
