//! Lost updates: each object has an entity tag, and a change that names another is refused.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Caller, Reply, Server, part};

const VPS: &str = "urn:v1:eu:resource:vps:a";

/// An object that can be read and changed.
struct Object {
    path: String,
    /// The body of a change.
    edit: Value,
    /// Other changes below its path, as method, path and body.
    others: Vec<(Method, String, Value)>,
}

impl Object {
    fn new(path: String, edit: Value) -> Self {
        Self { path, edit, others: Vec::new() }
    }
}

/// Creates an object of each kind.
async fn objects(admin: &Caller) -> Vec<Object> {
    let made = async |path: &str, body: Value| admin.post(path, &body).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let named_user = format!("urn:v1:eu:identity:user:{ACCOUNT}/u");
    let lists = json!({"identities": [named_user], "resources": [], "permissions": {}});
    let named = |name: &str, more: &Value| {
        let mut body = json!({ "name": name });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let policy = made("/v2/iam/policy", named("p", &lists)).await;
    let group = json!({"description": "d", "permissions": {}});
    made("/v2/iam/permissionsGroup", named("g", &group)).await;
    made("/v2/iam/resource", json!({"urn": VPS, "tags": {"env": "dev"}})).await;
    let resources = made("/v2/iam/resourceGroup", json!({"name": "g", "resources": []})).await;
    let client = json!({"name": "c", "description": "d", "flow": "CLIENT_CREDENTIALS"});
    let client = made("/v1/me/api/oauth2/client", client).await;
    made("/v1/me/identity/group", json!({"name": "g"})).await;
    made("/v1/me/identity/user", json!({"login": "u"})).await;
    let token = json!({"name": "t", "description": "d"});
    made("/v1/me/identity/user/u/token", token).await;
    let api = json!({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}});
    admin.put("/v2/iam/api/shop", &api).await.expect(200);
    let urn = format!("urn:v1:eu:permissionsGroup:{ACCOUNT}:g");
    let note = json!({"description": "changed"});
    let mut resource =
        Object::new(format!("/v2/iam/resource/{}", part(VPS)), json!({"tags": {"env": "test"}}));
    resource.others = vec![
        (Method::POST, "/tag".to_owned(), json!({"key": "env", "value": "prod"})),
        (Method::DELETE, "/tag/env".to_owned(), Value::Null),
    ];
    let mut policy =
        Object::new(format!("/v2/iam/policy/{}", text(&policy["id"])), named("q", &lists));
    policy.others = vec![(Method::DELETE, format!("/identity/{}", part(&named_user)), Value::Null)];
    let mut user = Object::new("/v1/me/identity/user/u".to_owned(), note.clone());
    user.others =
        ["/disable", "/enable"].map(|below| (Method::POST, below.to_owned(), Value::Null)).into();
    vec![
        policy,
        Object::new(
            format!("/v2/iam/permissionsGroup/{}", part(&urn)),
            named("g", &json!({"description": "changed", "permissions": {}})),
        ),
        Object::new(
            format!("/v2/iam/resourceGroup/{}", text(&resources["id"])),
            json!({"name": "h", "resources": []}),
        ),
        resource,
        Object::new(
            format!("/v1/me/api/oauth2/client/{}", text(&client["clientId"])),
            note.clone(),
        ),
        Object::new("/v1/me/identity/group/g".to_owned(), note.clone()),
        // The token goes before its user.
        Object::new("/v1/me/identity/user/u/token/t".to_owned(), note.clone()),
        user,
        Object::new(
            "/v2/iam/api/shop".to_owned(),
            json!({"openapi": "3.1.0", "info": {"title": "b", "version": "1"}, "paths": {}}),
        ),
    ]
}

async fn send(
    caller: &Caller,
    method: &Method,
    path: &str,
    body: &Value,
    header: (&str, &str),
) -> Reply {
    let request = caller.request(method.clone(), path).header(header.0, header.1);
    Reply::of(if body.is_null() { request } else { request.json(body) }).await
}

/// Checks that an object is refused to whoever does not know its state, and left as it is.
async fn hold_against(admin: &Caller, method: &Method, path: &str, body: &Value, object: &str) {
    let before = admin.get(object).await;
    let tag = before.header("etag").to_owned();
    for wrong in ["\"0\"".to_owned(), "\"0\", W/\"1\"".to_owned(), format!("W/{tag}")] {
        let reply = send(admin, method, path, body, ("if-match", &wrong)).await;
        let said = reply.refused(412, "Client::PreconditionFailed");
        let is_weak = wrong.starts_with("W/");
        assert!(said.contains(if is_weak { "no weak tag" } else { "has changed" }), "{said}");
    }
    for wrong in ["*", &*tag] {
        let reply = send(admin, method, path, body, ("if-none-match", wrong)).await;
        reply.refused(412, "Client::PreconditionFailed");
    }
    let reply = send(admin, method, path, body, ("if-match", "0")).await;
    reply.refused(400, "Client::BadRequest::INVALID_FORMAT");
    let after = admin.get(object).await;
    assert_eq!(after.header("etag"), tag, "{method} {path}");
    assert_eq!(after.body, before.body, "{method} {path}");
}

on_both_databases!(an_object_is_changed_only_from_the_state_that_the_client_knows);
async fn an_object_is_changed_only_from_the_state_that_the_client_knows(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let all = objects(&admin).await;
    for Object { path, edit, others } in &all {
        let read = admin.get(path).await;
        let tag = read.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20, "{path}: {tag}");
        // The tag stays for as long as nothing changes.
        assert_eq!(admin.get(path).await.header("etag"), tag, "{path}");
        let again = send(&admin, &Method::GET, path, &Value::Null, ("if-none-match", &tag)).await;
        assert_eq!((again.status, again.header("etag")), (304, &*tag));
        assert_eq!(again.body, Value::Null);
        let weak = format!("\"0\", W/{tag}");
        let again = send(&admin, &Method::GET, path, &Value::Null, ("if-none-match", &weak)).await;
        assert_eq!(again.status, 304, "{path}");
        let other =
            send(&admin, &Method::GET, path, &Value::Null, ("if-none-match", "\"0\"")).await;
        assert_eq!(other.expect(200), read.body);

        hold_against(&admin, &Method::PUT, path, edit, path).await;
        hold_against(&admin, &Method::DELETE, path, &Value::Null, path).await;
        for (method, below, body) in others {
            hold_against(&admin, method, &format!("{path}{below}"), body, path).await;
        }
        send(&admin, &Method::PUT, path, edit, ("if-match", &tag)).await.expect(200);
        let changed = admin.get(path).await;
        assert_ne!(changed.header("etag"), tag, "{path}");
        assert_ne!(changed.body, read.body);
        let reply = send(&admin, &Method::PUT, path, edit, ("if-match", &tag)).await;
        reply.refused(412, "Client::PreconditionFailed");
        send(&admin, &Method::PUT, path, edit, ("if-match", "*")).await.expect(200);
        for (method, below, body) in others {
            let tag = admin.get(path).await.header("etag").to_owned();
            let path = format!("{path}{below}");
            let reply = send(&admin, method, &path, body, ("if-match", &tag)).await;
            assert!(reply.status < 300, "{method} {path}: {}", reply.body);
        }
    }
    // Disabling the user has deleted it.
    let token = json!({"name": "t", "description": "d"});
    admin.post("/v1/me/identity/user/u/token", &token).await.expect(200);
    for Object { path, .. } in &all {
        let tag = admin.get(path).await.header("etag").to_owned();
        let gone = send(&admin, &Method::DELETE, path, &Value::Null, ("if-match", &tag)).await;
        assert!(gone.status < 300, "{path}: {}", gone.body);
        let gone = send(&admin, &Method::DELETE, path, &Value::Null, ("if-match", "*")).await;
        gone.refused(404, "Client::NotFound");
    }
}

on_both_databases!(the_account_has_a_tag_too_and_nothing_new_has_one);
async fn the_account_has_a_tag_too_and_nothing_new_has_one(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let tag = admin.get("/v1/me").await.header("etag").to_owned();
    let city = json!({"city": "Paris"});
    hold_against(&admin, &Method::PUT, "/v1/me", &city, "/v1/me").await;
    send(&admin, &Method::PUT, "/v1/me", &city, ("if-match", &tag)).await.expect(200);
    assert_ne!(admin.get("/v1/me").await.header("etag"), tag);
    // What is read only has a tag for those who read it.
    for path in [
        "/v1/me/identity/group/ADMIN",
        "/v2/iam/permissionsGroup/urn:v1:eu:permissionsGroup:ovh:globalAdmin",
    ] {
        let tag = admin.get(path).await.header("etag").to_owned();
        let again = send(&admin, &Method::GET, path, &Value::Null, ("if-none-match", &tag)).await;
        assert_eq!(again.status, 304, "{path}");
    }
    let user = json!({"login": "u"});
    let users = "/v1/me/identity/user";
    let reply = send(&admin, &Method::POST, users, &user, ("if-match", "\"0\"")).await;
    let said = reply.refused(412, "Client::PreconditionFailed");
    assert!(said.contains("has no tag yet"), "{said}");
    assert_eq!(admin.get(users).await.expect(200), json!([]));
    // An API is declared unless it is there, or the other way round.
    let api = json!({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}});
    let path = "/v2/iam/api/shop";
    let put = async |header| send(&admin, &Method::PUT, path, &api, header).await;
    put(("if-match", "*")).await.refused(412, "Client::PreconditionFailed");
    put(("if-none-match", "*")).await.expect(200);
    put(("if-none-match", "*")).await.refused(412, "Client::PreconditionFailed");
    put(("if-match", "*")).await.expect(200);
}

on_both_databases!(details_and_uses_change_the_representation_and_not_the_object);
async fn details_and_uses_change_the_representation_and_not_the_object(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post("/v2/iam/resource", &json!({"urn": VPS})).await.expect(200);
    let group = json!({"name": "g", "resources": [{"urn": VPS}]});
    let made = admin.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let plain = format!("/v2/iam/resourceGroup/{}", made["id"].as_str().unwrap());
    let whole = format!("{plain}?details=true");
    let tags = async || {
        let (plain, whole) = (admin.get(&plain).await, admin.get(&whole).await);
        (plain.header("etag").to_owned(), whole.header("etag").to_owned())
    };
    let (object, detailed) = tags().await;
    assert_ne!(object, detailed);
    let resource = format!("/v2/iam/resource/{}", part(VPS));
    admin.put(&resource, &json!({"tags": {"env": "prod"}})).await.expect(200);
    let (same, other) = tags().await;
    assert_eq!(same, object);
    assert_ne!(other, detailed);
    let stale =
        send(&admin, &Method::GET, &whole, &Value::Null, ("if-none-match", &detailed)).await;
    stale.expect(200);
    // Whoever read the details knows the object.
    send(&admin, &Method::PUT, &plain, &group, ("if-match", &detailed)).await.expect(200);
    let reply = send(&admin, &Method::PUT, &plain, &group, ("if-match", &other)).await;
    reply.refused(412, "Client::PreconditionFailed");

    admin.post("/v1/me/identity/user", &json!({"login": "u"})).await.expect(200);
    let tokens = "/v1/me/identity/user/u/token";
    let made = admin.post(tokens, &json!({"name": "t", "description": "d"})).await.expect(200);
    let token = format!("{tokens}/t");
    let before = admin.get(&token).await;
    server.bearing(made["token"].as_str().unwrap()).get("/v1/auth/details").await.expect(200);
    let used = admin.get(&token).await;
    assert_ne!(used.body["lastUsed"], before.body["lastUsed"]);
    assert_ne!(used.header("etag"), before.header("etag"));
    let edit = json!({"description": "e"});
    let tag = before.header("etag");
    send(&admin, &Method::PUT, &token, &edit, ("if-match", tag)).await.expect(200);
}

on_both_databases!(of_many_changes_made_from_one_state_one_is_made);
async fn of_many_changes_made_from_one_state_one_is_made(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post("/v1/me/identity/group", &json!({"name": "g"})).await.expect(200);
    let path = "/v1/me/identity/group/g";
    let tag = admin.get(path).await.header("etag").to_owned();
    let changes = (0..12).map(|number| {
        let (admin, tag) = (admin.clone(), tag.clone());
        tokio::spawn(async move {
            let edit = json!({"description": number.to_string()});
            let (method, edit) = match number {
                0 => (Method::DELETE, Value::Null),
                _ => (Method::PUT, edit),
            };
            send(&admin, &method, path, &edit, ("if-match", &tag)).await.status
        })
    });
    let mut done = Vec::new();
    for change in changes.collect::<Vec<_>>() {
        done.push(change.await.unwrap());
    }
    assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{done:?}");
    assert!(done.iter().all(|status| [200, 404, 412].contains(status)), "{done:?}");
}
