//! Bad input of every kind: a clear error in OVHcloud's shape, nothing changed, never a 500.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Reply, Server, http};

const NOT_JSON: &str = "The input that you provided isn't valid JSON or not well formatted";

on_both_databases!(what_is_no_json_is_refused);
async fn what_is_no_json_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let paths = [
        "/v2/iam/policy",
        "/v2/iam/permissionsGroup",
        "/v2/iam/resourceGroup",
        "/v2/iam/resource",
        "/v2/iam/authorization/check",
        "/v1/me/api/oauth2/client",
    ];
    let deep = "[".repeat(100_000);
    for path in paths {
        for body in ["", "{", "nonsense", "{\"name\":}", "\u{feff}{}", "\0", &deep] {
            let request = admin.request(Method::POST, path).body(body.to_owned());
            let message = Reply::of(request).await.refused(400, "Client::BadRequest");
            assert_eq!(message, NOT_JSON, "{path} {body:.9}");
        }
        let request = admin.request(Method::POST, path).body(vec![b'{', 0xff, b'}']);
        assert_eq!(Reply::of(request).await.status, 400, "{path}");
        for body in [json!(null), json!([]), json!(7), json!("x"), json!({})] {
            assert_eq!(admin.post(path, &body).await.status, 400, "{path} {body}");
        }
    }
}

/// Returns invalid fields of a policy: the field, its value, the class of the error, and a part of
/// its message.
fn wrong_policies() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    vec![
        ("name", json!(7), "FORMAT", "\"name\": invalid type: integer \"7\", expected a string"),
        ("name", Value::Null, "FORMAT", "\"name\": invalid type: null, expected a string"),
        ("identities", json!("x"), "FORMAT", "\"identities\": invalid type: string"),
        ("identities", json!([7]), "FORMAT", "\"identities[0]\": invalid type"),
        ("identities", json!(["x"]), "FORMAT", "identity \"identities[0]\" is malformed"),
        (
            "identities",
            json!(["urn:v1:eu:identity:user:a/*"]),
            "FORMAT",
            "has a * where none is allowed",
        ),
        (
            "identities",
            json!(["urn:v1:ca:identity:account:a"]),
            "FORMAT",
            "belongs to another region",
        ),
        ("resources", json!([{}]), "MISSING", "\"resources[0]\": missing field \"urn\""),
        (
            "resources",
            json!([{"urn": "*"}]),
            "URN",
            "urn \"resources[0].urn\" is malformed, expected urn:v1:region:(resource|resourceGroup):(*|group_id|resource_type):(*|resource_name)",
        ),
        (
            "resources",
            json!([{"urn": "urn:v1:eu:resource:v*s:x"}]),
            "URN",
            "has a * where none is allowed",
        ),
        (
            "permissions",
            json!({"allow": [{"action": "vps:*:get"}]}),
            "FORMAT",
            "\"allow[0]\" may have a * only at its start or at its end",
        ),
        (
            "permissions",
            json!({"allow": ["vps:get"]}),
            "FORMAT",
            "\"permissions.allow[0]\": invalid type",
        ),
        (
            "permissions",
            json!({"deny": [{"action": ""}]}),
            "FORMAT",
            "\"deny[0]\" must not be empty",
        ),
        (
            "permissionsGroups",
            json!([{"urn": "globalAdmin"}]),
            "URN",
            "\"permissionsGroups[0].urn\" is malformed",
        ),
        (
            "expiredAt",
            json!("tomorrow"),
            "FORMAT",
            "must be a date and time like 2026-12-31T23:59:59Z",
        ),
        ("expiredAt", json!(7), "FORMAT", "\"expiredAt\": invalid type"),
        ("description", json!("x".repeat(1025)), "LONG", "at most 1024 characters"),
        ("conditions", json!({"operator": "XOR"}), "FORMAT", "unknown variant \"XOR\""),
        (
            "conditions",
            json!({"operator": "OR", "conditions": []}),
            "FORMAT",
            "needs at least one entry",
        ),
        (
            "conditions",
            json!({"operator": "MATCH", "values": {"request.Ip": "x"}}),
            "FORMAT",
            "is no condition key",
        ),
        (
            "conditions",
            json!({"operator": "MATCH", "values": {"date(Mars).Hour": "1"}}),
            "FORMAT",
            "no IANA time zone",
        ),
        (
            "conditions",
            json!({"operator": "MATCH", "values": {"request.IP": "300.1.1.1"}}),
            "FORMAT",
            "must be an IP address",
        ),
    ]
}

on_both_databases!(a_wrong_policy_is_told_where_it_is_wrong);
async fn a_wrong_policy_is_told_where_it_is_wrong(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let before = admin.get("/v2/iam/policy").await.expect(200);
    let good = json!({
        "name": "p", "identities": [], "resources": [], "permissions": {},
    });
    for (field, value, class, message) in wrong_policies() {
        let mut body = good.clone();
        body[field] = value.clone();
        let class = match class {
            "FORMAT" => "Client::BadRequest::INVALID_FORMAT",
            "MISSING" => "Client::BadRequest::MISSING_PARAMETER",
            "LONG" => "Client::BadRequest::PARAMETER_TOO_LONG",
            _ => "Client::BadRequest::INVALID_RESOURCE_URN",
        };
        let said = admin.post("/v2/iam/policy", &body).await.refused(400, class);
        assert!(said.contains(message), "{value}: {said}");
    }
    for field in ["name", "identities", "resources", "permissions"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        let said = admin
            .post("/v2/iam/policy", &body)
            .await
            .refused(400, "Client::BadRequest::MISSING_PARAMETER");
        assert_eq!(said, format!("missing field \"{field}\""));
    }
    assert_eq!(admin.get("/v2/iam/policy").await.expect(200), before);
}

on_both_databases!(a_body_of_ten_megabytes_is_refused);
async fn a_body_of_ten_megabytes_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut body = json!({"name": "p", "identities": [], "resources": [], "permissions": {}});
    body["description"] = json!("x".repeat(10 << 20));
    let message = admin.post("/v2/iam/policy", &body).await.refused(413, "Client::PayloadTooLarge");
    assert!(message.contains("at most 2097152 bytes"), "{message}");
    let url = format!("{}/auth/oauth2/token", server.url);
    let reply = Reply::of(http().post(url).body("x".repeat(10 << 20))).await;
    assert_eq!(reply.status, 413);
    admin.get("/v1/me").await.expect(200);
}

on_both_databases!(a_wrong_method_and_a_wrong_url_are_told_apart);
async fn a_wrong_method_and_a_wrong_url_are_told_apart(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    for (method, path) in [
        (Method::PATCH, "/v2/iam/policy"),
        (Method::DELETE, "/v2/iam/policy"),
        (Method::POST, "/v1/me"),
        (Method::PUT, "/v2/iam/authorization/check"),
        (Method::OPTIONS, "/v2/iam/policy"),
    ] {
        let reply = Reply::of(admin.request(method, path)).await;
        assert!(!reply.header("allow").is_empty());
        reply.refused(405, "Client::MethodNotAllowed");
    }
    for path in [
        "/v2",
        "/v1",
        "/v2/iam",
        "/v2/iam/policies",
        "/v9/me",
        "/v2/iam/policy/a/b",
        "/v1/me/%ff",
        "/openapi/v9.json",
    ] {
        let message = admin.get(path).await.refused(404, "Client::NotFound");
        assert_eq!(message, "Got an invalid (or empty) URL", "{path}");
    }
    for id in ["x", "1", "{}", "..", "%2e%2e%2f"] {
        let reply = admin.get(&format!("/v2/iam/policy/{id}")).await;
        assert!([400, 404].contains(&reply.status), "{id}");
    }
}

on_both_databases!(nothing_odd_in_a_path_or_a_header_brings_the_server_down);
async fn nothing_odd_in_a_path_or_a_header_brings_the_server_down(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let odd = [
        "%00",
        "%F0%9F%A6%80",
        "'%20OR%201=1--",
        "..%2f..%2f",
        "%25",
        "*",
        ":",
        "%C3%A9",
        "x".repeat(5_000).leak(),
    ];
    for text in odd {
        for path in [
            format!("/v1/me/api/oauth2/client/{text}"),
            format!("/v2/iam/policy/{text}"),
            format!("/v2/iam/permissionsGroup/{text}"),
            format!("/v2/iam/permissionsGroup/urn:v1:eu:permissionsGroup:xx11111-ovh:{text}"),
            format!("/v2/iam/resourceGroup/{text}"),
            format!("/v2/iam/resource/{text}"),
            format!("/v2/iam/resource/urn:v1:eu:resource:vps:{text}"),
            format!("/v2/iam/policy?identity={text}&action={text}&resourceURN={text}"),
            format!("/v2/iam/resource?tags={text}&resourceName={text}"),
            format!("/v2/iam/reference/action?resourceType={text}"),
        ] {
            let reply = admin.get(&path).await;
            assert!(reply.status < 500, "{path}: {}", reply.body);
        }
        for header in ["X-Pagination-Cursor", "X-Pagination-Size", "X-Pagination-Mode"] {
            let request = admin.request(Method::GET, "/v2/iam/policy").header(header, text);
            assert!(Reply::of(request).await.status < 500, "{header}: {text:.20}");
        }
    }
    admin.get("/v1/me").await.expect(200);
}

on_both_databases!(a_client_that_sends_the_head_of_a_request_slowly_is_let_go);
async fn a_client_that_sends_the_head_of_a_request_slowly_is_let_go(database: TestDatabase) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start(&database);
    let address = server.url.strip_prefix("http://").unwrap();
    let whole = "GET /forward-auth/nginx/shop HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Both on a new connection and after an answered request.
    let let_go = async |before: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{before}GET / HTTP/1.1\r\nHo").as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let end = stream.read_to_end(&mut said);
        let end = tokio::time::timeout(std::time::Duration::from_secs(40), end).await;
        assert!(end.is_ok(), "after {before:?} the connection stays open");
        String::from_utf8(said).unwrap()
    };
    let (first, later) = tokio::join!(let_go(""), let_go(whole));
    assert!(!first.contains("200 OK"), "{first}");
    assert!(later.starts_with("HTTP/1.1 403"), "{later}");
}
