//! Local users and their groups.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::panel_client::PanelClient;
use crate::server::{ACCOUNT, Caller, Server};

const USERS: &str = "/v1/me/identity/user";
const GROUPS: &str = "/v1/me/identity/group";

fn user(login: &str) -> Value {
    json!({"login": login, "password": "correct horse", "description": "for tests", "group": "UNPRIVILEGED"})
}

async fn allow(admin: &Caller, name: &str, to: &str, action: &str) {
    let body = json!({
        "name": name,
        "identities": [to],
        "resources": [{"urn": format!("urn:v1:eu:resource:account:{ACCOUNT}")}],
        "permissions": {"allow": [{"action": action}]},
    });
    admin.post("/v2/iam/policy", &body).await.expect(200);
}

on_both_databases!(a_user_lives_from_creation_to_deletion);
async fn a_user_lives_from_creation_to_deletion(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut new = user("jane.doe");
    new["email"] = json!("jane@example.com");
    assert_eq!(admin.post(USERS, &new).await.expect(200), Value::Null);
    assert_eq!(admin.get(USERS).await.expect(200), json!(["jane.doe"]));
    let one = format!("{USERS}/jane.doe");
    let read = admin.get(&one).await.expect(200);
    assert_eq!(read["urn"], format!("urn:v1:eu:identity:user:{ACCOUNT}/jane.doe"));
    assert_eq!(read["group"], "UNPRIVILEGED");
    assert_eq!((&read["status"], &read["type"]), (&json!("OK"), &json!("USER")));
    assert!(read["passwordLastUpdate"].is_string());
    assert!(!read.to_string().contains("horse"));

    let mut sent = read.clone();
    sent["description"] = json!("new words");
    sent["group"] = json!("ADMIN");
    sent["groups"] = json!(["UNPRIVILEGED", "ADMIN"]);
    admin.put(&one, &sent).await.expect(200);
    let changed = admin.get(&one).await.expect(200);
    assert_eq!(changed["groups"], json!(["ADMIN", "UNPRIVILEGED"]));
    assert_eq!(changed["description"], "new words");
    assert_eq!(changed["email"], "jane@example.com");

    admin.post(&format!("{one}/disable"), &Value::Null).await.expect(200);
    assert_eq!(admin.get(&one).await.expect(200)["status"], "DISABLED");
    admin.post(&format!("{one}/enable"), &Value::Null).await.expect(200);
    assert_eq!(admin.get(&one).await.expect(200)["status"], "OK");
    assert_eq!(admin.delete(&one).await.expect(200), Value::Null);
    admin.get(&one).await.refused(404, "Client::NotFound");
    admin.delete(&one).await.refused(404, "Client::NotFound");
}

on_both_databases!(what_is_wrong_with_a_user_is_said_and_changes_nothing);
async fn what_is_wrong_with_a_user_is_said_and_changes_nothing(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post(USERS, &user("taken")).await.expect(200);
    let again = admin.post(USERS, &user("taken")).await;
    again.refused(409, "Client::Conflict::USER_ALREADY_EXISTS");
    for (field, wrong) in [
        ("login", json!("")),
        ("login", json!("a b")),
        ("login", json!("a/b")),
        ("login", json!("*")),
        ("password", json!("short")),
        ("group", json!("nowhere")),
        ("groups", json!(["nowhere"])),
        ("email", json!("nobody")),
        ("description", json!("x".repeat(256))),
        ("type", json!("ROOT")),
        ("type", json!("OTHER")),
        ("login", json!(null)),
    ] {
        let mut new = user("other");
        new[field] = wrong.clone();
        let reply = admin.post(USERS, &new).await;
        assert_eq!(reply.status, 400, "{field} {wrong}: {}", reply.body);
    }
    assert_eq!(admin.get(USERS).await.expect(200), json!(["taken"]));
    let edit = json!({"groups": ["nowhere"]});
    assert_eq!(admin.put(&format!("{USERS}/taken"), &edit).await.status, 400);
}

on_both_databases!(groups_are_built_in_or_ones_own);
async fn groups_are_built_in_or_ones_own(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    assert_eq!(admin.get(GROUPS).await.expect(200), json!(["ADMIN", "DEFAULT", "UNPRIVILEGED"]));
    let made = admin.post(GROUPS, &json!({"name": "ops"})).await.expect(200);
    assert_eq!((&made["role"], &made["defaultGroup"]), (&json!("NONE"), &json!(false)));
    assert_eq!(made["urn"], format!("urn:v1:eu:identity:group:{ACCOUNT}/ops"));
    let one = format!("{GROUPS}/ops");
    assert_eq!(admin.get(&one).await.expect(200), made);
    admin.put(&one, &json!({"description": "who is on call", "role": "REGULAR"})).await.expect(200);
    let changed = admin.get(&one).await.expect(200);
    assert_eq!(
        (&changed["role"], &changed["description"]),
        (&json!("REGULAR"), &json!("who is on call"))
    );
    for name in ["ops", "ADMIN", "DEFAULT"] {
        let reply = admin.post(GROUPS, &json!({"name": name})).await;
        reply.refused(409, "Client::Conflict::GROUP_ALREADY_EXISTS");
    }
    for name in ["ADMIN", "DEFAULT", "UNPRIVILEGED"] {
        let path = format!("{GROUPS}/{name}");
        assert_eq!(admin.get(&path).await.expect(200)["defaultGroup"], true);
        admin.put(&path, &json!({"role": "NONE"})).await.refused(403, "Client::Forbidden");
        admin.delete(&path).await.refused(403, "Client::Forbidden");
    }
    let mut member = user("jane");
    member["group"] = json!("ops");
    admin.post(USERS, &member).await.expect(200);
    let message = admin.delete(&one).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("move them first"), "{message}");
    admin.delete(&format!("{USERS}/jane")).await.expect(200);
    admin.delete(&one).await.expect(200);
    admin.get(&one).await.refused(404, "Client::NotFound");
}

on_both_databases!(a_user_may_what_policies_and_their_groups_allow);
async fn a_user_may_what_policies_and_their_groups_allow(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({"name": "ops"})).await.expect(200);
    let mut jane = user("jane");
    jane["group"] = json!("ops");
    admin.post(USERS, &jane).await.expect(200);
    let mut visitor = PanelClient::new(&server);
    let seen = visitor.sign_in(&format!("{ACCOUNT}/jane"), "correct horse").await;
    assert_eq!(seen.location, "/me");
    let list = "/service-accounts";
    let seen = visitor.get(list).await;
    assert_eq!(seen.status, 403);
    assert!(seen.html.contains("account:apiovh:me/api/oauth2/client/get"), "{}", seen.html);

    allow(
        &admin,
        "to-group",
        &format!("urn:v1:eu:identity:group:{ACCOUNT}/ops"),
        "account:apiovh:me/api/oauth2/client/get",
    )
    .await;
    assert_eq!(visitor.get(list).await.status, 200, "by a policy for the group");
    let page = "/service-accounts/create";
    let fields = [("name", "x"), ("description", "y")];
    assert_eq!(visitor.post(page, page, &fields).await.status, 403);
    let right = "account:apiovh:me/api/oauth2/client/create";
    allow(&admin, "to-user", &format!("urn:v1:eu:identity:user:{ACCOUNT}/jane"), right).await;
    assert_eq!(visitor.post(page, page, &fields).await.status, 200, "by a policy for the user");

    let others = "/service-accounts/EU.0000000000000000/edit";
    assert_eq!(visitor.post("/me", others, &fields).await.status, 403);
    admin.put(&format!("{GROUPS}/ops"), &json!({"role": "ADMIN"})).await.expect(200);
    assert_eq!(visitor.post("/me", others, &fields).await.status, 404, "by the role of the group");
    admin.put(&format!("{GROUPS}/ops"), &json!({"role": "UNPRIVILEGED"})).await.expect(200);
    assert_eq!(visitor.post("/me", others, &fields).await.status, 403);
    admin.put(&format!("{USERS}/jane"), &json!({"group": "ADMIN"})).await.expect(200);
    assert_eq!(visitor.post("/me", others, &fields).await.status, 404, "by another group");
    admin.put(&format!("{USERS}/jane"), &json!({"group": "UNPRIVILEGED"})).await.expect(200);
    assert_eq!(visitor.post("/me", others, &fields).await.status, 403);
    assert_eq!(visitor.get(list).await.status, 200);
}

on_both_databases!(who_is_disabled_or_gone_is_signed_out_at_once_and_for_good);
async fn who_is_disabled_or_gone_is_signed_out_at_once_and_for_good(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let one = format!("{USERS}/jane");
    admin.post(USERS, &user("jane")).await.expect(200);
    let login = format!("{ACCOUNT}/jane");
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(&login, "correct horse").await;
    assert_eq!(visitor.get("/me").await.status, 200);
    admin.post(&format!("{one}/disable"), &Value::Null).await.expect(200);
    assert_eq!(visitor.get("/me").await.status, 303);
    assert_eq!(visitor.sign_in(&login, "correct horse").await.status, 403);
    assert_eq!(visitor.sign_in(&login, "wrong").await.status, 401);
    admin.post(&format!("{one}/enable"), &Value::Null).await.expect(200);
    assert_eq!(visitor.get("/me").await.status, 303, "the session has ended");
    visitor.sign_in(&login, "correct horse").await;
    assert_eq!(visitor.get("/me").await.status, 200);
    admin.delete(&one).await.expect(200);
    assert_eq!(visitor.get("/me").await.status, 303);
    admin.post(USERS, &user("jane")).await.expect(200);
    assert_eq!(visitor.get("/me").await.status, 303, "not theirs any more");
}

on_both_databases!(a_user_without_a_password_cannot_sign_in);
async fn a_user_without_a_password_cannot_sign_in(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post(USERS, &json!({"login": "robot", "type": "SERVICE"})).await.expect(200);
    let read = admin.get(&format!("{USERS}/robot")).await.expect(200);
    assert_eq!(
        (&read["passwordLastUpdate"], &read["group"]),
        (&Value::Null, &json!("UNPRIVILEGED"))
    );
    let mut visitor = PanelClient::new(&server);
    for password in ["", "null", "correct horse"] {
        let seen = visitor.sign_in(&format!("{ACCOUNT}/robot"), password).await;
        assert_eq!(seen.status, 401);
    }
}
