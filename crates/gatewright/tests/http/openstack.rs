//! OpenStack: ID tokens with the roles on projects, for a Keystone to read.

use gatewright_testing::{TestDatabase, on_both_databases};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Caller, Reply, Server, http};

const ADAPTER: &str = "/role-adapter/urn:v1:eu:resource:publicCloudProject";

/// A service account with its credentials.
struct InitialServiceAccount {
    caller: Caller,
    id: String,
    secret: String,
}

async fn robot(server: &Server, admin: &Caller) -> InitialServiceAccount {
    let new = json!({"name": "stack", "description": "stack", "flow": "CLIENT_CREDENTIALS"});
    let made = admin.post("/v1/me/api/oauth2/client", &new).await.expect(200);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("clientId"), text("clientSecret"));
    InitialServiceAccount { caller: server.login(&id, &secret).await, id, secret }
}

/// Requests a token as OpenStack's clients do: discovery, then the token endpoint in it.
async fn ask(server: &Server, robot: &InitialServiceAccount, project: &str, scope: &str) -> Reply {
    let path = format!("{}{ADAPTER}:{project}/.well-known/openid-configuration", server.url);
    let found = Reply::of(http().get(path)).await.expect(200);
    assert!(
        found["grant_types_supported"].as_array().unwrap().contains(&json!("client_credentials"))
    );
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let request = http().post(found["token_endpoint"].as_str().unwrap());
    Reply::of(request.basic_auth(&robot.id, Some(&robot.secret)).form(&form)).await
}

const SCOPE: &str = "openid profile email publicCloudProject/all";

/// Returns the claims of an ID token, verified with the public keys alone.
async fn verified(server: &Server, robot: &InitialServiceAccount, token: &str) -> Value {
    let keys = http().get(format!("{}/auth/oauth2/jwks", server.url)).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(&header.kid.unwrap()).expect("the key of the token");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&robot.id]);
    validation.set_issuer(&[&server.url]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

async fn register(admin: &Caller, project: &str) -> String {
    let urn = format!("urn:v1:eu:resource:publicCloudProject:{project}");
    admin.post("/v2/iam/resource", &json!({"urn": urn})).await.expect(200);
    urn
}

async fn introspect(server: &Server, token: &str) -> Value {
    let fields = [
        ("client_id", server.client_id.as_str()),
        ("client_secret", server.client_secret.as_str()),
        ("token", token),
    ];
    let request = http().post(format!("{}/auth/oauth2/introspect", server.url));
    Reply::of(request.form(&fields)).await.expect(200)
}

on_both_databases!(an_id_token_says_the_roles_on_projects);
async fn an_id_token_says_the_roles_on_projects(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let robot = robot(&server, &admin).await;
    let (one, two) = (register(&admin, "one").await, register(&admin, "two").await);
    let on = |role: &str| format!("publicCloudProject:openstack:{role}");
    admin.allow("a", &robot.caller, &on("networkOperator"), &one).await;
    admin.allow("b", &robot.caller, &on("computeOperator"), &one).await;
    admin.allow("c", &robot.caller, &on("*"), &two).await;
    let lost = "urn:v1:eu:resource:publicCloudProject:nobodys";
    admin.allow("d", &robot.caller, &on("*"), lost).await;

    let answer = ask(&server, &robot, "one", SCOPE).await.expect(200);
    assert_eq!(answer["scope"], SCOPE);
    let token = answer["id_token"].as_str().unwrap();
    let claims = verified(&server, &robot, token).await;
    assert_eq!(claims["sub"], robot.caller.urn());
    assert_eq!(claims["account"], ACCOUNT);
    assert_eq!(claims["project"], "one");
    assert_eq!(claims["roles"], json!(["computeOperator", "networkOperator"]));
    assert_eq!(claims["project_roles"], json!(["one:computeOperator", "one:networkOperator"]));
    let all = ask(&server, &robot, "pci", SCOPE).await.expect(200);
    let all = verified(&server, &robot, all["id_token"].as_str().unwrap()).await;
    let roles = all["project_roles"].as_array().unwrap();
    assert_eq!(roles.len(), 2 + 9, "{roles:?}");
    assert!(roles.contains(&json!("two:administrator")));
    assert!(all.get("project").is_none());

    let none = ask(&server, &robot, "nobodys", SCOPE).await.expect(200);
    let none = verified(&server, &robot, none["id_token"].as_str().unwrap()).await;
    assert_eq!(none["roles"], json!([]), "nobody registered it");
    let other = ask(&server, &robot, "one", "openid account/all").await.expect(200);
    let other = verified(&server, &robot, other["id_token"].as_str().unwrap()).await;
    assert_eq!(other["roles"], json!([]), "the scope cuts them");
}

on_both_databases!(an_id_token_is_given_for_the_scope_openid_alone);
async fn an_id_token_is_given_for_the_scope_openid_alone(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let robot = robot(&server, &admin).await;
    let plain = server.token(&robot.id, &robot.secret, "all").await.expect(200);
    assert!(plain.get("id_token").is_none());
    let with = server.token(&robot.id, &robot.secret, "openid all").await.expect(200);
    let claims = verified(&server, &robot, with["id_token"].as_str().unwrap()).await;
    assert!(claims.get("project_roles").is_none());
    let role = ask(&server, &robot, "pci", "publicCloudProject/all").await.expect(200);
    assert!(role.get("id_token").is_none());
}

on_both_databases!(the_default_scope_of_openstacks_client_gives_an_id_token_and_no_right);
async fn the_default_scope_of_openstacks_client_gives_an_id_token_and_no_right(
    database: TestDatabase,
) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let robot = robot(&server, &admin).await;
    let me = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    admin.allow("all", &robot.caller, "*", &me).await;
    let one = register(&admin, "one").await;
    let role = "publicCloudProject:openstack:administrator";
    admin.allow("role", &robot.caller, role, &one).await;
    for scope in ["openid profile", "openid", "profile openid email"] {
        let reply = server.token(&robot.id, &robot.secret, scope).await.expect(200);
        assert_eq!(reply["scope"], scope);
        verified(&server, &robot, reply["id_token"].as_str().unwrap()).await;
        let caller = server.bearing(reply["access_token"].as_str().unwrap());
        let reply = caller.get("/v1/me").await;
        let missing = reply.body["details"]["unauthorizedActionsByAuthentication"].clone();
        assert_eq!(missing, "account:apiovh:me/get", "the scope leaves it out");
        reply.refused(403, "Client::Forbidden");
    }
    let reply = ask(&server, &robot, "one", "openid profile").await.expect(200);
    let claims = verified(&server, &robot, reply["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["roles"], json!([]), "the scope cuts the roles");
    for wrong in ["profile", "profile email"] {
        let reply = server.token(&robot.id, &robot.secret, wrong).await;
        assert_eq!(reply.expect(400)["error"], "invalid_scope", "{wrong}");
    }
}

on_both_databases!(an_id_token_opens_nothing);
async fn an_id_token_opens_nothing(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let reply = server.token(&server.client_id, &server.client_secret, "openid all").await;
    let token = reply.expect(200)["id_token"].as_str().unwrap().to_owned();
    let bearer = server.bearing(&token);
    bearer.get("/v1/me").await.refused(401, "Client::Unauthorized");
    admin.get("/v1/me").await.expect(200);
}

on_both_databases!(asking_about_an_id_token_tells_the_roles_of_today);
async fn asking_about_an_id_token_tells_the_roles_of_today(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let robot = robot(&server, &admin).await;
    let one = register(&admin, "one").await;
    let role = "publicCloudProject:openstack:administrator";
    let policy = admin.allow("a", &robot.caller, role, &one).await;
    let answer = ask(&server, &robot, "one", SCOPE).await.expect(200);
    let token = answer["id_token"].as_str().unwrap();
    let found = introspect(&server, token).await;
    assert_eq!(found["active"], true);
    assert_eq!(found["token_type"], "N_A");
    assert_eq!(found["aud"], robot.id.as_str());
    assert_eq!(found["project_roles"], json!(["one:administrator"]));
    let path = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(introspect(&server, token).await["project_roles"], json!([]));
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", robot.id)).await.expect(200);
    assert_eq!(introspect(&server, token).await, json!({"active": false}));
}

on_both_databases!(roles_are_told_on_projects_alone);
async fn roles_are_told_on_projects_alone(database: TestDatabase) {
    let server = Server::start(&database);
    for target in
        ["nonsense", "urn:v1:eu:resource:vps:a", "urn:v1:ca:resource:publicCloudProject:a"]
    {
        let url = format!("{}/role-adapter/{target}", server.url);
        let form = [("grant_type", "client_credentials"), ("scope", "openid all")];
        let request = http().post(format!("{url}/auth/oauth2/token"));
        let request = request.basic_auth(&server.client_id, Some(&server.client_secret));
        let error = Reply::of(request.form(&form)).await.expect(400);
        assert_eq!(error["error"], "invalid_target", "{target}");
        let url = format!("{url}/.well-known/openid-configuration");
        assert_eq!(http().get(url).send().await.unwrap().status(), 400);
    }
    let admin = server.admin().await;
    for number in 0..8 {
        register(&admin, &format!("p{number}")).await;
    }
    let own = InitialServiceAccount {
        caller: admin,
        id: server.client_id.clone(),
        secret: server.client_secret.clone(),
    };
    let error = ask(&server, &own, "pci", SCOPE).await.expect(400);
    assert!(error["error_description"].as_str().unwrap().contains("one project"), "{error}");
}
