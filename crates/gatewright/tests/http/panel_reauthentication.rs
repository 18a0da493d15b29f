//! Sensitive actions in the panel ask for re-authentication.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::json;

use crate::panel_client::{PanelClient, csrf_token, value};
use crate::server::{ACCOUNT, Server};

const JANES: &str = "correct horse";

/// Makes the last authentications of all sessions old.
async fn age_proofs(database: &TestDatabase, server: &mut Server) {
    server.stop();
    let aged = r#"replace(document, '"expires"', '"authenticatedAt":1,"expires"')"#;
    database.run(&format!("UPDATE object SET document = {aged} WHERE kind = 'session'")).await;
    server.restart();
}

on_both_databases!(a_sensitive_action_asks_for_reauthentication_and_keeps_the_form);
async fn a_sensitive_action_asks_for_reauthentication_and_keeps_the_form(database: TestDatabase) {
    let mut server = Server::start(&database);
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    age_proofs(&database, &mut server).await;
    owner.url.clone_from(&server.url);
    let admin = server.admin().await;
    assert_eq!(owner.get("/users").await.status, 200, "reading asks for nothing");

    let fields =
        [("login", "jane"), ("password", JANES), ("description", "typed"), ("group", "ADMIN")];
    let seen = owner.post("/me", "/users/create", &fields).await;
    assert_eq!(seen.status, 403, "{}", seen.html);
    assert!(!seen.html.contains(JANES), "no secret is shown");
    admin.get("/v1/me/identity/user/jane").await.refused(404, "Client::NotFound");
    let (own, kept) = (csrf_token(&seen.html), value(&seen.html, "name=\"kept-form\" value=\""));
    let password = server.password.clone();
    let send = async |owner: &mut PanelClient, own: &str, to: &str, password: &str| {
        owner.post_with(own, to, &[("kept-form", &kept), ("password", password)]).await
    };
    assert_eq!(
        send(&mut owner, &own, "/users/create", "").await.status,
        403,
        "no re-authentication"
    );
    let wrong = send(&mut owner, &own, "/users/create", "wrong").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.html.contains("name=\"kept-form\""), "{}", wrong.html);
    assert_eq!(send(&mut owner, "forged", "/users/create", &password).await.status, 403);
    assert_eq!(send(&mut owner, &own, "/groups/create", &password).await.status, 403);
    admin.get("/v1/me/identity/user/jane").await.refused(404, "Client::NotFound");

    let seen = send(&mut owner, &own, "/users/create", &password).await;
    assert_eq!(seen.location, "/users/jane?flash=flash-user-created", "{}", seen.html);
    let made = admin.get("/v1/me/identity/user/jane").await.expect(200);
    assert_eq!((&made["description"], &made["group"]), (&json!("typed"), &json!("ADMIN")));
    let mut jane = PanelClient::new(&server);
    assert_eq!(jane.sign_in(&format!("{ACCOUNT}/jane"), JANES).await.location, "/me");
    let fields = [("name", "x"), ("description", "y")];
    let seen = owner.post("/me", "/service-accounts/create", &fields).await;
    assert_eq!(seen.status, 200, "it counts for the next minutes");
}
