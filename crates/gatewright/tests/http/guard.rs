//! No operation bypasses the policies.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::Value;

use crate::openapi::document;
use crate::server::{ACCOUNT, Caller, Reply, Server, http};

/// Fills the parameters of a path template with objects that exist.
fn filled(path: &str, admin: &Caller) -> String {
    path.replace("{clientId}", &admin.id)
        .replace("{permissionsGroupURN}", "urn:v1:eu:permissionsGroup:ovh:globalAdmin")
        .replace("{resourceURN}", &format!("urn:v1:eu:resource:account:{ACCOUNT}"))
        .replace("{user}", "nobody")
        .replace("{group}", "ADMIN")
        .replace("{key}", "env")
        .replace("{policyId}", "00000000-0000-0000-0000-000000000000")
        .replace("{groupId}", "00000000-0000-0000-0000-000000000000")
        .replace("{projects}", "urn:v1:eu:resource:publicCloudProject:pci")
}

/// Returns the status of an operation without authentication, for a request without credentials and
/// with a malformed form.
fn public(path: &str) -> u16 {
    match path {
        "/auth/time"
        | "/auth/oauth2/jwks"
        | "/.well-known/authzen-configuration"
        | "/.well-known/oauth-authorization-server"
        | "/.well-known/openid-configuration"
        | "/role-adapter/{projects}/.well-known/openid-configuration" => 200,
        "/auth/oauth2/token"
        | "/auth/oauth2/introspect"
        | "/auth/oauth2/revoke"
        | "/oauth2/token"
        | "/role-adapter/{projects}/auth/oauth2/token" => 400,
        // Neither the proxy nor the API exists.
        "/forward-auth/{proxy}/{api}" | "/ext-authz/{api}/{target}" => 403,
        path => panic!("{path} needs no token: is that meant?"),
    }
}

/// Returns the operations of the server, each with its URL.
async fn operations(server: &Server, admin: &Caller) -> Vec<(Method, String, String, Value)> {
    let mut all = Vec::new();
    for (name, tree) in [("v1", "/v1"), ("v2", "/v2"), ("oauth2", "")] {
        let document = document(server, name).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let method = method.to_uppercase().parse().unwrap();
                let url = format!("{tree}{}", filled(path, admin));
                all.push((method, path.clone(), url, operation.clone()));
            }
        }
    }
    all
}

on_both_databases!(every_call_needs_a_token_and_the_actions_that_it_names);
async fn every_call_needs_a_token_and_the_actions_that_it_names(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let stranger = server.stranger(&admin).await;
    let before = server.setup().run(&["journal", "verify"]).1;
    let (mut guarded, mut open, mut unguarded) = (0, 0, 0);
    for (method, path, url, operation) in operations(&server, &admin).await {
        // The right is checked before the body, which is malformed.
        let nobody = http().request(method.clone(), format!("{}{url}", server.url));
        let reply = Reply::of(nobody.body("{")).await;
        if operation["security"].is_null() {
            assert_eq!(reply.status, public(&path), "{method} {path}: {}", reply.body);
            unguarded += 1;
            continue;
        }
        assert_eq!(reply.refused(401, "Client::Unauthorized"), "You must login first");
        let reply = Reply::of(stranger.request(method.clone(), &url).body("{")).await;
        let needed = operation["x-iam-actions"].as_array().unwrap();
        let needed: Vec<&str> = needed.iter().map(|one| one["name"].as_str().unwrap()).collect();
        if needed.is_empty() {
            assert_ne!(reply.status, 403, "{method} {path}");
            open += 1;
            continue;
        }
        let missing =
            reply.body["details"]["unauthorizedActionsByIAM"].as_str().unwrap_or_default();
        let on_account = missing.split(',').take(needed.len()).collect::<Vec<_>>();
        assert_eq!(on_account, needed, "{method} {path}: {}", reply.body);
        assert_eq!(reply.body["details"]["unauthorizedActionsByAuthentication"], "");
        assert_eq!(reply.body["errorCode"], "FORBIDDEN");
        assert_eq!(reply.refused(403, "Client::Forbidden"), "User not granted for this request");
        guarded += 1;
    }
    assert!(guarded >= 59 && open == 7 && unguarded >= 13, "{guarded} {open} {unguarded}");
    assert_eq!(server.setup().run(&["journal", "verify"]).1, before, "something changed");
}

on_both_databases!(each_action_alone_opens_its_own_calls_and_no_other);
async fn each_action_alone_opens_its_own_calls_and_no_other(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    let caller = server.stranger(&admin).await;
    admin.allow("one", &caller, "account:apiovh:iam/policy/get", &account).await;
    caller.get("/v2/iam/policy").await.expect(200);
    caller.get("/v2/iam/resourceGroup").await.refused(403, "Client::Forbidden");
    caller.post("/v2/iam/policy", &Value::Null).await.refused(403, "Client::Forbidden");
    let elsewhere = server.stranger(&admin).await;
    admin.allow("two", &elsewhere, "*", "urn:v1:eu:resource:account:zz9-ovh").await;
    elsewhere.get("/v2/iam/policy").await.refused(403, "Client::Forbidden");
}
