//! Bodies are read strictly: a key that a body does not have, or has twice, is refused by name.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::openapi;
use crate::server::{ACCOUNT, Caller, Reply, Server, http, part};

const UNKNOWN: &str = "Client::BadRequest::INVALID_PARAMETER";
const TWICE: &str = "Client::BadRequest::INVALID_FORMAT";
const VPS: &str = "urn:v1:eu:resource:vps:a";

/// Returns a valid body for each operation that creates, with the path of the created object.
fn creations() -> Vec<(&'static str, Value, String)> {
    let group = format!("urn:v1:eu:permissionsGroup:{ACCOUNT}:g");
    vec![
        (
            "/v2/iam/policy",
            json!({
                "name": "p", "description": "d", "identities": [], "resources": [{"urn": VPS}],
                "permissions": {"allow": [{"action": "vps:apiovh:get"}], "except": null},
                "permissionsGroups": [], "expiredAt": null,
                "conditions": {"operator": "AND", "conditions": [
                    {"operator": "MATCH", "values": {"resource.Tag(env)": "dev"}},
                ]},
            }),
            "/v2/iam/policy/{id}".to_owned(),
        ),
        (
            "/v2/iam/permissionsGroup",
            json!({"name": "g", "description": "d", "permissions": {"allow": []}}),
            format!("/v2/iam/permissionsGroup/{}", part(&group)),
        ),
        (
            "/v2/iam/resource",
            json!({"urn": VPS, "displayName": "A", "tags": {"env": "dev"}}),
            format!("/v2/iam/resource/{}", part(VPS)),
        ),
        (
            "/v2/iam/resourceGroup",
            json!({"name": "g", "resources": [{"urn": VPS}]}),
            "/v2/iam/resourceGroup/{id}?details=true".to_owned(),
        ),
        (
            "/v1/me/api/oauth2/client",
            json!({"name": "c", "description": "d", "flow": "CLIENT_CREDENTIALS"}),
            "/v1/me/api/oauth2/client/{clientId}".to_owned(),
        ),
        (
            "/v1/me/identity/group",
            json!({"name": "g", "description": "d", "role": "NONE"}),
            "/v1/me/identity/group/g".to_owned(),
        ),
        (
            "/v1/me/identity/user",
            json!({"login": "u", "description": "d", "group": "g", "password": "correct horse"}),
            "/v1/me/identity/user/u".to_owned(),
        ),
        (
            "/v1/me/identity/user/u/token",
            json!({"name": "t", "description": "d", "expiresIn": 3600}),
            "/v1/me/identity/user/u/token/t".to_owned(),
        ),
    ]
}

/// Returns the path of an object that was created.
fn filled(path: &str, made: &Value) -> String {
    ["id", "clientId"].iter().fold(path.to_owned(), |path, key| {
        path.replace(&format!("{{{key}}}"), made[key].as_str().unwrap_or_default())
    })
}

/// Creates an object of each kind; returns the paths of the lists with the last part of those of the
/// objects.
async fn create_all(admin: &Caller) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (list, body, object) in creations() {
        let made = admin.post(list, &body).await.expect(200);
        let object = filled(&object, &made);
        let object = object.split('?').next().unwrap();
        all.push((list, object.rsplit('/').next().unwrap().to_owned()));
    }
    all
}

async fn send(caller: &Caller, method: Method, path: &str, body: &str) -> Reply {
    Reply::of(caller.request(method, path).body(body.to_owned())).await
}

/// Writes a key a second time, with another value.
fn doubled(body: &Value, key: &str) -> String {
    let text = body.to_string();
    let text = text.strip_suffix('}').unwrap();
    format!("{text},{}:7}}", Value::from(key))
}

on_both_databases!(an_unknown_or_repeated_key_is_refused_by_name_and_nothing_is_made);
async fn an_unknown_or_repeated_key_is_refused_by_name_and_nothing_is_made(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let stranger = server.stranger(&admin).await;
    for (path, body, object) in creations() {
        let mut wrong = body.clone();
        wrong["condition"] = json!({});
        let message = admin.post(path, &wrong).await.refused(400, UNKNOWN);
        assert!(message.starts_with("\"condition\" is unknown"), "{path}: {message}");
        for key in body.as_object().unwrap().keys() {
            let reply = send(&admin, Method::POST, path, &doubled(&body, key)).await;
            assert_eq!(reply.refused(400, TWICE), format!("\"{key}\" is there twice"), "{path}");
        }
        // Without the right, nothing is said about the body.
        let reply = stranger.post(path, &wrong).await;
        assert_eq!(reply.refused(403, "Client::Forbidden"), "User not granted for this request");
        let made = admin.post(path, &body).await.expect(200);
        let object = filled(&object, &made);
        // Clients send back what they read, or what they made.
        let read = admin.get(&object).await.expect(200);
        let object = object.split('?').next().unwrap();
        admin.put(object, &read).await.expect(200);
        for key in read.as_object().unwrap().keys() {
            let reply = send(&admin, Method::PUT, object, &doubled(&read, key)).await;
            assert_eq!(reply.refused(400, TWICE), format!("\"{key}\" is there twice"), "{object}");
        }
        let mut wrong = read.clone();
        wrong["updatedBy"] = json!("me");
        let message = admin.put(object, &wrong).await.refused(400, UNKNOWN);
        assert!(message.starts_with("\"updatedBy\" is unknown"), "{object}: {message}");
    }
}

/// Operations whose body is somebody else's format, which may have more keys.
const OPEN_BODIES: [&str; 1] = ["/v2/iam/api/{name}"];

#[tokio::test]
async fn every_body_of_the_api_is_refused_with_an_unknown_or_a_repeated_key() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let objects = create_all(&admin).await;
    let existing = |path: String| {
        objects.iter().fold(path, |path, (list, object)| {
            let below = path.strip_prefix(&format!("{list}/{{"));
            let rest = below.and_then(|below| below.split_once('}'));
            match rest {
                Some((_, rest)) => format!("{list}/{object}{rest}"),
                None => path,
            }
        })
    };
    let mut tried = 0;
    for version in ["v1", "v2"] {
        let document = openapi::document(&server, version).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in [Method::POST, Method::PUT] {
                let operation = &operations[method.as_str().to_lowercase()];
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let path = format!("/{version}{path}");
                if schema.is_null() || OPEN_BODIES.contains(&&*path) {
                    continue;
                }
                let properties = &openapi::resolve(&document, schema)["properties"];
                let first = properties.as_object().unwrap().keys().next().unwrap();
                let path = existing(path);
                // What only reads ignores what it does not know.
                if !path.ends_with("/authorization/check") {
                    let unknown = r#"{"gatewrightUnknown": 1}"#;
                    let message =
                        send(&admin, method.clone(), &path, unknown).await.refused(400, UNKNOWN);
                    let expected = "\"gatewrightUnknown\" is unknown";
                    assert!(message.starts_with(expected), "{method} {path}: {message}");
                }
                let twice = format!("{{\"{first}\": 1, \"{first}\": 1}}");
                let reply = send(&admin, method.clone(), &path, &twice).await;
                assert_eq!(reply.status, 400, "{method} {path}: {}", reply.body);
                let message = reply.refused(400, TWICE);
                assert_eq!(message, format!("\"{first}\" is there twice"), "{method} {path}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 20, "{tried}");
}

on_both_databases!(a_misspelt_key_of_a_policy_is_told_with_its_place_and_the_nearest);
async fn a_misspelt_key_of_a_policy_is_told_with_its_place_and_the_nearest(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (path, good, _) = creations().swap_remove(0);
    let nested = |value: Value| json!({"operator": "NOT", "conditions": [value]});
    let cases = [
        ("condition", json!({}), "\"condition\" is unknown: did you mean \"conditions\"?"),
        ("Conditions", json!({}), "\"Conditions\" is unknown: did you mean \"conditions\"?"),
        ("expiresAt", json!(null), "\"expiresAt\" is unknown: did you mean \"expiredAt\"?"),
        (
            "permissions",
            json!({"denies": []}),
            "\"permissions.denies\" is unknown: did you mean \"deny\"?",
        ),
        (
            "permissions",
            json!({"allow": [{"action": "a:b:c"}, {"actions": "a:b:c"}]}),
            "\"permissions.allow[1].actions\" is unknown: did you mean \"action\"?",
        ),
        (
            "resources",
            json!([{"urn": VPS, "URN": VPS}]),
            "\"resources[0].URN\" is unknown: did you mean \"urn\"?",
        ),
        (
            "conditions",
            nested(json!({"operator": "MATCH", "value": {}})),
            "\"conditions.conditions[0].value\" is unknown: did you mean \"values\"?",
        ),
    ];
    for (key, value, message) in cases {
        let mut body = good.clone();
        body[key] = value;
        assert_eq!(admin.post(path, &body).await.refused(400, UNKNOWN), message);
    }
    let values = r#"{"resource.Tag(env)":"dev","resource.Tag(env)":"prod"}"#;
    let twice = good.to_string().replace(r#"{"resource.Tag(env)":"dev"}"#, values);
    let message = send(&admin, Method::POST, path, &twice).await.refused(400, TWICE);
    let place = "conditions.conditions[0].values.resource.Tag(env)";
    assert_eq!(message, format!("\"{place}\" is there twice"));
    assert_eq!(admin.get(&format!("{path}?readOnly=false")).await.expect(200)[1], Value::Null);
}

on_both_databases!(a_list_in_the_place_of_an_object_is_refused_by_its_place);
async fn a_list_in_the_place_of_an_object_is_refused_by_its_place(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (path, good, _) = creations().swap_remove(0);
    let condition = json!(["MATCH", {"request.IP": "127.0.0.1"}]);
    let cases = [
        ("resources", json!([[VPS]]), "resources[0]", "urn"),
        ("permissions", json!([[{"action": "a:b:c"}], [], []]), "permissions", "allow"),
        ("permissions", json!([]), "permissions", "allow"),
        ("permissions", json!({"allow": [["a:b:c"]]}), "permissions.allow[0]", "action"),
        ("permissionsGroups", json!([["urn"]]), "permissionsGroups[0]", "urn"),
        ("conditions", condition.clone(), "conditions", "operator"),
        (
            "conditions",
            json!({"operator": "NOT", "conditions": [condition]}),
            "conditions.conditions[0]",
            "operator",
        ),
    ];
    for (key, value, place, field) in cases {
        let mut body = good.clone();
        body[key] = value;
        let message = admin.post(path, &body).await.refused(400, TWICE);
        let said = format!("an object such as {{\"{field}\": …}}, not a list");
        assert_eq!(message, format!("\"{place}\": it must be {said}"));
    }
    assert_eq!(admin.get(&format!("{path}?readOnly=false")).await.expect(200)[1], Value::Null);
    let message = admin.post(path, &json!({"resources": ["a"]})).await.refused(400, TWICE);
    let said = "invalid type: string \"a\", expected an object such as {\"urn\": …}";
    assert_eq!(message, format!("\"resources[0]\": {said}"));
    let filter = part(r#"{"env":[["EXISTS"]]}"#);
    let reply = admin.get(&format!("/v2/iam/resource?tags={filter}")).await;
    assert!(reply.refused(400, TWICE).contains("must be an object"));
}

on_both_databases!(a_repeated_tag_or_key_of_an_openapi_document_is_refused);
async fn a_repeated_tag_or_key_of_an_openapi_document_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post("/v2/iam/resource", &json!({"urn": VPS})).await.expect(200);
    let resource = format!("/v2/iam/resource/{}", part(VPS));
    let tags = r#"{"tags":{"env":"prod","\u0065nv":"dev"}}"#;
    let reply = send(&admin, Method::PUT, &resource, tags).await;
    assert_eq!(reply.refused(400, TWICE), "\"tags.env\" is there twice");
    assert_eq!(admin.get(&resource).await.expect(200)["tags"], json!({}));
    let tag = json!({"key": "env", "value": "prod", "operator": "EQ"});
    let message = admin.post(&format!("{resource}/tag"), &tag).await.refused(400, UNKNOWN);
    assert_eq!(message, "\"operator\" is unknown");
    let filter = part(r#"{"env":[],"env":[{"operator":"EXISTS"}]}"#);
    let reply = admin.get(&format!("/v2/iam/resource?tags={filter}")).await;
    assert_eq!(reply.refused(400, TWICE), "\"env\" is there twice");

    // A document may hold anything, but once.
    let document = r#"{"openapi":"3.1.0","x-own":1,"info":{"title":"a","version":"1"},"paths":{}}"#;
    send(&admin, Method::PUT, "/v2/iam/api/shop", document).await.expect(200);
    let twice = document.replace("\"paths\":{}", "\"paths\":{\"/a\":{},\"/a\":{\"get\":{}}}");
    let reply = send(&admin, Method::PUT, "/v2/iam/api/shop", &twice).await;
    assert_eq!(reply.refused(400, TWICE), "\"paths./a\" is there twice");
}

on_both_databases!(what_standards_say_to_ignore_is_ignored_and_repeated_fields_are_not);
async fn what_standards_say_to_ignore_is_ignored_and_repeated_fields_are_not(
    database: TestDatabase,
) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    // The command line of OVHcloud sends it.
    admin.post("/v1/me/identity/user", &json!({"login": "u"})).await.expect(200);
    let token = json!({"name": "t", "description": "d", "expiredAt": "2027-12-31T23:59:59Z"});
    admin.post("/v1/me/identity/user/u/token", &token).await.expect(200);
    let edit = json!({"description": "e", "expiredAt": null});
    admin.put("/v1/me/identity/user/u/token/t", &edit).await.expect(200);
    // What only asks is not strict.
    let check = json!({"actions": ["vps:apiovh:get"], "resourceURNs": [VPS], "more": 1});
    admin.post("/v2/iam/authorization/check", &check).await.expect(200);
    let twice = r#"{"actions":["vps:apiovh:reboot"],"actions":[],"resourceURNs":[]}"#;
    let reply = send(&admin, Method::POST, "/v2/iam/authorization/check", twice).await;
    assert_eq!(reply.refused(400, TWICE), "\"actions\" is there twice");

    let evaluation = r#"{"subject":{"type":"user","id":"u","more":1},"action":{"name":"a:b:c"},
        "resource":{"type":"vps","id":"a"},"more":1}"#;
    let evaluate = async |body: &str| {
        let request = admin.request(Method::POST, "/access/v1/evaluation");
        Reply::of(request.header("content-type", "application/json").body(body.to_owned())).await
    };
    assert_eq!(evaluate(evaluation).await.expect(200)["decision"], false);
    let twice = evaluation.replace("\"id\":\"a\"", "\"id\":\"a\",\"id\":\"b\"");
    assert_eq!(evaluate(&twice).await.expect(400), "\"resource.id\" is there twice");

    let ask = async |endpoint: &str, more: &str| {
        let url = format!("{}/auth/oauth2/{endpoint}", server.url);
        let form = format!("grant_type=client_credentials&scope=all&token=x{more}");
        let request = http().post(url).header("content-type", "application/x-www-form-urlencoded");
        Reply::of(request.basic_auth(&server.client_id, Some(&server.client_secret)).body(form))
            .await
    };
    for endpoint in ["token", "introspect", "revoke"] {
        for ignored in ["", "&more=1", "&resource=a&resource=b&audience=c&audience=d"] {
            ask(endpoint, ignored).await.expect(200);
        }
        for twice in ["&more=1&more=1", "&more=1&m%6fre=2", "&scope=all", "&token="] {
            let error = ask(endpoint, twice).await.expect(400);
            assert_eq!(error["error"], "invalid_request", "{endpoint}{twice}");
        }
    }
}
