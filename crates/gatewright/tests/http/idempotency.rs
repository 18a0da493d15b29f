//! Creations that are repeated with an `Idempotency-Key`.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Caller, Reply, Server};

const VPS: &str = "urn:v1:eu:resource:vps:a";

async fn create(caller: &Caller, path: &str, key: &str, body: &Value) -> Reply {
    let request = caller.request(Method::POST, path).header("idempotency-key", key);
    Reply::of(request.json(body)).await
}

/// Returns a body for each operation that creates, with the list of what it creates, and whether the
/// answer has a secret.
fn creations() -> Vec<(&'static str, Value, bool)> {
    let lists = json!({"name": "p", "identities": [], "resources": [], "permissions": {}});
    vec![
        ("/v2/iam/policy", lists, false),
        (
            "/v2/iam/permissionsGroup",
            json!({"name": "g", "description": "d", "permissions": {}}),
            false,
        ),
        ("/v2/iam/resource", json!({"urn": VPS}), false),
        ("/v2/iam/resourceGroup", json!({"name": "g", "resources": [{"urn": VPS}]}), false),
        ("/v1/me/identity/group", json!({"name": "g"}), false),
        ("/v1/me/identity/user", json!({"login": "u"}), false),
        ("/v1/me/identity/user/u/token", json!({"name": "t", "description": "d"}), true),
        (
            "/v1/me/api/oauth2/client",
            json!({"name": "c", "description": "d", "flow": "CLIENT_CREDENTIALS"}),
            true,
        ),
    ]
}

on_both_databases!(a_creation_with_a_key_is_made_once_across_a_restart);
async fn a_creation_with_a_key_is_made_once_across_a_restart(database: TestDatabase) {
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let mut answers = Vec::new();
    for (path, body, _) in creations() {
        let made = create(&admin, path, &format!("\"{path}\""), &body).await.expect(200);
        let list = admin.get(path).await.expect(200);
        answers.push((made, list));
    }
    server.crash();
    let token = server.admin().await.token;
    let admin = Caller { token, url: server.url.clone(), ..admin };
    for ((path, body, has_secret), (made, list)) in creations().into_iter().zip(answers) {
        // With or without quotes, it is the same key.
        let again = create(&admin, path, path, &body).await;
        if has_secret {
            let message = again.refused(409, "Client::Conflict::AlreadyCreated");
            let named = made["clientId"].as_str().unwrap_or("the token t of the user u");
            assert!(message.contains(named), "{message}");
        } else {
            assert_eq!(again.expect(200), made, "{path}");
        }
        assert_eq!(admin.get(path).await.expect(200), list, "{path}");
        let mut other = body.clone();
        other["description"] = json!("other");
        if path != "/v2/iam/resource" && path != "/v2/iam/resourceGroup" {
            let reused = "Client::UnprocessableEntity::IdempotencyKeyReused";
            create(&admin, path, path, &other).await.refused(422, reused);
        }
        assert_eq!(admin.get(path).await.expect(200), list, "{path}");
    }
}

on_both_databases!(of_creations_at_once_with_one_key_one_is_made);
async fn of_creations_at_once_with_one_key_one_is_made(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let body = json!({"name": "g", "resources": []});
    let path = "/v2/iam/resourceGroup";
    let before = admin.get(path).await.expect(200).as_array().unwrap().len();
    let all = (0..12).map(|_| {
        let (admin, body) = (admin.clone(), body.clone());
        tokio::spawn(async move { create(&admin, path, "k", &body).await })
    });
    let mut ids = Vec::new();
    for one in all.collect::<Vec<_>>() {
        let reply = one.await.unwrap();
        match reply.status {
            200 => ids.push(reply.body["id"].clone()),
            _ => drop(reply.refused(409, "Client::Conflict::IdempotencyKeyInUse")),
        }
    }
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(admin.get(path).await.expect(200).as_array().unwrap().len(), before + 1);
    assert_eq!(create(&admin, path, "k", &body).await.expect(200)["id"], ids[0]);
}

on_both_databases!(a_key_belongs_to_its_caller_and_is_well_formed);
async fn a_key_belongs_to_its_caller_and_is_well_formed(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let stranger = server.stranger(&admin).await;
    let path = "/v1/me/identity/group";
    let account = format!("urn:v1:eu:resource:account:{}", crate::server::ACCOUNT);
    admin.allow("create", &stranger, "account:apiovh:me/identity/group/create", &account).await;
    create(&admin, path, "k", &json!({"name": "a"})).await.expect(200);
    create(&stranger, path, "k", &json!({"name": "b"})).await.expect(200);
    for wrong in ["\"", "\"\"", "\"a", &"x".repeat(256)] {
        let reply = create(&admin, path, wrong, &json!({"name": "c"})).await;
        reply.refused(400, "Client::BadRequest::INVALID_FORMAT");
    }
    let twice = admin.request(Method::POST, path).header("idempotency-key", "l");
    let twice = twice.header("idempotency-key", "l").json(&json!({"name": "c"}));
    Reply::of(twice).await.refused(400, "Client::BadRequest::INVALID_FORMAT");
    // What creates nothing takes no notice.
    admin.get("/v1/me").await.expect(200);
    let edit = admin.request(Method::PUT, "/v1/me").header("idempotency-key", "k");
    Reply::of(edit.json(&json!({"city": "Paris"}))).await.expect(200);
}
