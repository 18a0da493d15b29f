//! Personal access tokens.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Caller, Reply, Server};

const USER: &str = "/v1/me/identity/user";
const TOKENS: &str = "/v1/me/identity/user/jane/token";

async fn jane(admin: &Caller) {
    let body = json!({"login": "jane", "password": "correct horse", "group": "UNPRIVILEGED"});
    admin.post(USER, &body).await.expect(200);
}

async fn token(server: &Server, admin: &Caller, body: &Value) -> Caller {
    let made = admin.post(TOKENS, body).await.expect(200);
    server.bearing(made["token"].as_str().unwrap())
}

on_both_databases!(a_token_lives_from_creation_to_deletion);
async fn a_token_lives_from_creation_to_deletion(database: TestDatabase) {
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    jane(&admin).await;
    let body = json!({"name": "laptop 1", "description": "for scripts"});
    let made = admin.post(TOKENS, &body).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.expect(200);
    let secret = made["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with(&format!("gwp_{ACCOUNT}.")), "{secret}");
    assert_eq!((&made["expiresAt"], &made["lastUsed"]), (&Value::Null, &Value::Null));
    assert_eq!(admin.get(TOKENS).await.expect(200), json!(["laptop 1"]));
    let one = format!("{TOKENS}/laptop%201");
    let read = admin.get(&one).await.expect(200);
    assert_eq!(read["description"], "for scripts");
    assert!(!read.to_string().contains(&secret), "{read}");

    let program = server.bearing(&secret);
    let details = program.get("/v1/auth/details").await.expect(200);
    assert_eq!((&details["method"], &details["user"]), (&json!("user"), &json!("jane")));
    assert_eq!(program.get(USER).await.expect(200), json!(["jane"]));
    program.post(TOKENS, &body).await.refused(403, "Client::Forbidden");
    assert!(admin.get(&one).await.expect(200)["lastUsed"].is_string());

    server.stop();
    server.restart();
    let (admin, program) = (server.admin().await, server.bearing(&secret));
    program.get(USER).await.expect(200);
    let edit = json!({"description": "changed", "expiresIn": 3600});
    let changed = admin.put(&one, &edit).await.expect(200);
    assert_eq!(changed["description"], "changed");
    assert!(changed["expiresAt"].is_string() && changed["lastUsed"].is_string(), "{changed}");
    let changed = admin.put(&one, &json!({"description": "again"})).await.expect(200);
    assert!(changed["expiresAt"].is_string(), "what is left out stays: {changed}");
    let changed = admin.put(&one, &json!({"expiresAt": null})).await.expect(200);
    assert_eq!(changed["expiresAt"], Value::Null);

    admin.delete(&one).await.expect(200);
    assert_eq!(program.get(USER).await.status, 401);
    admin.get(&one).await.refused(404, "Client::NotFound");
    admin.delete(&one).await.refused(404, "Client::NotFound");
    admin.get(&format!("{USER}/nobody/token")).await.refused(404, "Client::NotFound");
}

on_both_databases!(a_token_is_also_the_password_of_a_pat_jwt_user);
async fn a_token_is_also_the_password_of_a_pat_jwt_user(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    jane(&admin).await;
    let program = token(&server, &admin, &json!({"name": "a", "description": ""})).await;
    let basic = async |user: &str, password: &str| {
        let request = program.http.get(format!("{}{USER}", server.url));
        Reply::of(request.basic_auth(user, Some(password))).await
    };
    basic("pat_jwt_jane", &program.token).await.expect(200);
    basic("pat_jwt_", &program.token).await.expect(200);
    assert_eq!(basic("jane", &program.token).await.status, 401);
    assert_eq!(basic("pat_jwt_jane", "gwp_xx11111-ovh.wrong").await.status, 401);
    assert_eq!(basic("pat_jwt_jane", "gwp_nowhere-ovh.wrong").await.status, 401);
    // The access token of a service account is accepted as a Basic password, too.
    basic("pat_jwt_robot", &admin.token).await.expect(200);
}

on_both_databases!(a_token_ends_with_its_expiry_and_with_its_user);
async fn a_token_ends_with_its_expiry_and_with_its_user(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    jane(&admin).await;
    let body = json!({"name": "short", "description": "", "expiresIn": 1});
    let short = token(&server, &admin, &body).await;
    let ends = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while short.get(USER).await.status != 401 {
        assert!(std::time::Instant::now() < ends, "the token outlived its second");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let long = token(&server, &admin, &json!({"name": "long", "description": ""})).await;
    admin.post(&format!("{USER}/jane/disable"), &Value::Null).await.expect(200);
    assert_eq!(long.get(USER).await.status, 401);
    admin.post(&format!("{USER}/jane/enable"), &Value::Null).await.expect(200);
    assert_eq!(long.get(USER).await.status, 401, "enabling revives none");
    let long = token(&server, &admin, &json!({"name": "long", "description": ""})).await;
    long.get(USER).await.expect(200);
    admin.delete(&format!("{USER}/jane")).await.expect(200);
    assert_eq!(long.get(USER).await.status, 401);
    jane(&admin).await;
    assert_eq!(long.get(USER).await.status, 401, "who comes after has none of their tokens");
    assert_eq!(admin.get(TOKENS).await.expect(200), json!([]));
}

on_both_databases!(what_is_wrong_with_a_token_is_said_and_changes_nothing);
async fn what_is_wrong_with_a_token_is_said_and_changes_nothing(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    jane(&admin).await;
    admin.post(TOKENS, &json!({"name": "taken", "description": ""})).await.expect(200);
    let again = admin.post(TOKENS, &json!({"name": "taken", "description": ""})).await;
    let message = again.refused(409, "Client::Conflict::TOKEN_ALREADY_EXISTS");
    assert_eq!(message, "This token already exists");
    let at = "2099-01-01T00:00:00Z";
    for (field, wrong) in [
        ("name", json!("")),
        ("name", json!("a/b")),
        ("name", json!("x".repeat(256))),
        ("description", json!(null)),
        ("description", json!("x".repeat(256))),
        ("expiresIn", json!(0)),
        ("expiresIn", json!(-1)),
        ("expiresIn", json!(i64::MAX)),
        ("expiresIn", json!("1")),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!("2001-01-01T00:00:00Z")),
    ] {
        let mut new = json!({"name": "other", "description": ""});
        new[field] = wrong.clone();
        let reply = admin.post(TOKENS, &new).await;
        assert_eq!(reply.status, 400, "{field} {wrong}: {}", reply.body);
    }
    let both = json!({"name": "b", "description": "", "expiresAt": at, "expiresIn": 5});
    let message =
        admin.post(TOKENS, &both).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("exclude each other"), "{message}");
    assert_eq!(admin.get(TOKENS).await.expect(200), json!(["taken"]));
}
