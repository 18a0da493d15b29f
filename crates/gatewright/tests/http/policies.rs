//! Policies over the wire.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Reply, Server};

const PATH: &str = "/v2/iam/policy";

fn policy(name: &str) -> Value {
    json!({
        "name": name,
        "identities": ["urn:v1:eu:identity:user:xx11111-ovh/me"],
        "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
        "permissions": {"allow": [{"action": "vps:apiovh:*"}]},
    })
}

fn names(body: &Value) -> Vec<&str> {
    body.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

on_both_databases!(a_policy_is_created_read_changed_and_deleted);
async fn a_policy_is_created_read_changed_and_deleted(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut body = policy("dev-dns/delegation_2+x");
    body["description"] = json!("Für die Entwickler: \"alles\"");
    body["expiredAt"] = json!("2030-01-02T03:04:05.678+02:00");
    body["conditions"] = json!({"operator": "AND", "conditions": [
        {"operator": "MATCH", "values": {"resource.Tag(b)": "1", "date(Europe/Paris).WeekDay.In": "monday,Friday"}},
        {"operator": "NOT", "conditions": [{"operator": "MATCH", "values": {"request.IP.IN_RANGE": "10.0.0.0/8"}}]},
    ]});
    body["permissionsGroups"] = json!([{"urn": "urn:v1:eu:permissionsGroup:ovh:globalReadOnly"}]);
    body["permissions"]["except"] = json!([{"action": "vps:apiovh:reboot"}]);
    let made = admin.post(PATH, &body).await.expect(200);
    for field in [
        "name",
        "description",
        "expiredAt",
        "conditions",
        "identities",
        "resources",
        "permissions",
        "permissionsGroups",
    ] {
        assert_eq!(made[field], body[field], "{field}");
    }
    assert_eq!(made["owner"], ACCOUNT);
    assert_eq!(made["readOnly"], false);
    assert_eq!(made["updatedAt"], Value::Null);
    let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&one).await.expect(200), made);
    // Clients send whole objects back.
    let mut sent = made.clone();
    sent["name"] = json!("renamed");
    sent["owner"] = json!("somebody");
    sent["conditions"] = Value::Null;
    let changed = admin.put(&one, &sent).await.expect(200);
    assert_eq!(changed["name"], "renamed");
    assert_eq!(changed["owner"], ACCOUNT);
    assert_eq!(changed["createdAt"], made["createdAt"]);
    assert!(changed["updatedAt"].is_string());
    assert_eq!(admin.get(&one).await.expect(200), changed);
    let reply = admin.delete(&one).await;
    assert_eq!((reply.status, &reply.body), (204, &Value::Null));
    admin.get(&one).await.refused(404, "Client::NotFound");
    admin.put(&one, &sent).await.refused(404, "Client::NotFound");
    admin.delete(&one).await.refused(404, "Client::NotFound");
}

on_both_databases!(what_terraform_and_the_control_panel_send_is_taken);
async fn what_terraform_and_the_control_panel_send_is_taken(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let empty = json!({
        "name": "empty", "description": null, "identities": null, "resources": null,
        "permissions": {"allow": null, "except": null, "deny": null},
        "permissionsGroups": null, "conditions": null, "expiredAt": null,
    });
    let made = admin.post(PATH, &empty).await.expect(200);
    assert_eq!(made["permissionsGroups"], json!([]));
    assert_eq!(made["permissions"]["allow"], json!([]));
    assert_eq!(made["identities"], json!([]));
    let mut panel = policy("panel");
    panel["conditions"] = json!({"operator": "AND", "conditions": []});
    panel["expiredAt"] = json!("2001-01-01T00:00:00Z");
    // Clients send whole objects back, as they read them.
    panel["readOnly"] = json!(false);
    panel["owner"] = json!(ACCOUNT);
    let made = admin.post(PATH, &panel).await.expect(200);
    assert_eq!(made["conditions"], panel["conditions"]);
    assert_eq!(made["expiredAt"], panel["expiredAt"]);
    let mut terraform = policy("no-region");
    terraform["identities"] =
        json!(["urn:v1::identity:user:xx11111-ovh/me", "urn:v1::identity:user:xx11111-ovh/me"]);
    let made = admin.post(PATH, &terraform).await.expect(200);
    assert_eq!(made["identities"], json!(["urn:v1::identity:user:xx11111-ovh/me"]));
}

on_both_databases!(a_name_is_unique_and_not_reserved);
async fn a_name_is_unique_and_not_reserved(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let first = admin.post(PATH, &policy("one")).await.expect(200);
    admin.post(PATH, &policy("one")).await.refused(409, "Client::Conflict::POLICY_ALREADY_EXISTS");
    admin.post(PATH, &policy("ONE")).await.expect(200);
    let second = admin.post(PATH, &policy("two")).await.expect(200);
    let path = |one: &Value| format!("{PATH}/{}", one["id"].as_str().unwrap());
    admin
        .put(&path(&second), &policy("one"))
        .await
        .refused(409, "Client::Conflict::POLICY_ALREADY_EXISTS");
    admin.put(&path(&first), &policy("one")).await.expect(200);
    for (name, class) in [
        ("ovh-mine", "Client::BadRequest::INVALID_FORMAT"),
        ("with space", "Client::BadRequest::INVALID_FORMAT"),
        ("", "Client::BadRequest::MISSING_PARAMETER"),
        (&*"x".repeat(256), "Client::BadRequest::PARAMETER_TOO_LONG"),
    ] {
        admin.post(PATH, &policy(name)).await.refused(400, class);
    }
}

on_both_databases!(the_servers_own_policy_is_there_and_cannot_be_changed);
async fn the_servers_own_policy_is_there_and_cannot_be_changed(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let own = admin.get(&format!("{PATH}?readOnly=true&details=true")).await.expect(200);
    assert_eq!(names(&own), ["ovh-default"]);
    assert_eq!(own[0]["identities"], json!([format!("urn:v1:eu:identity:account:{ACCOUNT}")]));
    assert_eq!(own[0]["permissions"], json!({"allow": [{"action": "*"}]}));
    assert_eq!(own[0]["resources"][0]["group"]["readOnly"], true);
    let one = format!("{PATH}/{}", own[0]["id"].as_str().unwrap());
    admin.put(&one, &policy("x")).await.refused(403, "Client::Forbidden");
    admin.delete(&one).await.refused(403, "Client::Forbidden");
    let others = admin.get(&format!("{PATH}?readOnly=false")).await.expect(200);
    assert_eq!(names(&others), ["automation"]);
    assert_eq!(admin.get(&one).await.expect(200)["name"], "ovh-default");
}

on_both_databases!(a_list_is_filtered);
async fn a_list_is_filtered(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let other = "urn:v1:eu:identity:group:xx11111-ovh/devs";
    let mut body = policy("a");
    body["identities"] = json!([other]);
    admin.post(PATH, &body).await.expect(200);
    let mut body = policy("b");
    body["permissions"] = json!({"allow": [{"action": "webHosting:apiovh:get"}]});
    body["resources"] = json!([{"urn": "urn:v1:eu:resource:webHosting:shop"}]);
    admin.post(PATH, &body).await.expect(200);
    let list = async |query: &str| {
        let body = admin.get(&format!("{PATH}?readOnly=false&{query}")).await.expect(200);
        names(&body).join(" ")
    };
    assert_eq!(list(&format!("identity={other}")).await, "a");
    assert_eq!(list(&format!("identity={other}&identity={}", admin.urn())).await, "automation a");
    assert_eq!(list("identity=urn:v1:eu:identity:account:zz9-ovh").await, "");
    assert_eq!(list("action=vps:apiovh:reboot").await, "automation a");
    assert_eq!(list("action=webHosting:apiovh:get").await, "automation b");
    assert_eq!(list("resourceURN=urn:v1:eu:resource:vps:x").await, "automation a");
    assert_eq!(
        list("resourceURN=urn:v1:eu:resource:webHosting:shop&action=webHosting:apiovh:get").await,
        "automation b"
    );
    for wrong in ["identity=nobody", "resourceURN=*", "details=maybe"] {
        assert_eq!(admin.get(&format!("{PATH}?{wrong}")).await.status, 400, "{wrong}");
    }
}

on_both_databases!(a_long_list_comes_in_pages);
async fn a_long_list_comes_in_pages(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    for number in 0..5 {
        admin.post(PATH, &policy(&format!("p{number}"))).await.expect(200);
    }
    for query in ["", "?readOnly=false", "?identity=urn:v1:eu:identity:user:xx11111-ovh/me"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let request = admin.request(Method::GET, &format!("{PATH}{query}"));
            let request =
                request.header("X-Pagination-Size", "2").header("X-Pagination-Cursor", &cursor);
            let reply = Reply::of(request).await;
            let page = names(&reply.body).len();
            seen.extend(names(&reply.body).iter().map(ToString::to_string));
            reply.header("x-pagination-cursor-next").clone_into(&mut cursor);
            if cursor.is_empty() {
                break;
            }
            assert_eq!(page, 2);
        }
        assert!(seen.ends_with(&["p0", "p1", "p2", "p3", "p4"].map(String::from)), "{seen:?}");
        let whole = admin.get(&format!("{PATH}{query}")).await.expect(200);
        assert_eq!(names(&whole), seen);
    }
    let reply =
        Reply::of(admin.request(Method::GET, PATH).header("X-Pagination-Cursor", "x")).await;
    assert_eq!(reply.refused(400, "Client::BadRequest"), "invalid cursor");
    let first = Reply::of(admin.request(Method::GET, PATH).header("X-Pagination-Size", "2")).await;
    let cursor = first.header("x-pagination-cursor-next");
    let elsewhere =
        admin.request(Method::GET, "/v2/iam/resourceGroup").header("X-Pagination-Cursor", cursor);
    assert_eq!(Reply::of(elsewhere).await.refused(400, "Client::BadRequest"), "invalid cursor");
}

on_both_databases!(details_say_what_urns_stand_for);
async fn details_say_what_urns_stand_for(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let resource =
        json!({"type": "vps", "name": "v/1:x", "displayName": "My VPS", "tags": {"env": "test"}});
    let resource = admin.post("/v2/iam/resource", &resource).await.expect(200);
    let group = json!({"name": "all", "resources": [{"urn": resource["urn"]}]});
    let group = admin.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let mut body = policy("detailed");
    body["resources"] = json!([{"urn": resource["urn"]}, {"urn": group["urn"]}, {"urn": "urn:v1:eu:resource:vps:gone"}]);
    body["permissionsGroups"] = json!([
            {"urn": "urn:v1:eu:permissionsGroup:ovh:globalAdmin"}, {"urn": "urn:v1:eu:permissionsGroup:ovh:gone"}]);
    let made = admin.post(PATH, &body).await.expect(200);
    assert_eq!(made["resources"], body["resources"]);
    let one = format!("{PATH}/{}?details=true", made["id"].as_str().unwrap());
    let detailed = admin.get(&one).await.expect(200);
    assert_eq!(
        detailed["resources"][0]["resource"],
        json!({
            "displayName": "My VPS", "id": resource["id"], "name": "v/1:x", "owner": ACCOUNT,
            "tags": {"env": "test"}, "type": "vps",
        })
    );
    assert_eq!(
        detailed["resources"][1]["group"],
        json!({"id": group["id"], "name": "all", "readOnly": false})
    );
    assert_eq!(detailed["resources"][2], json!({"urn": "urn:v1:eu:resource:vps:gone"}));
    assert_eq!(
        detailed["permissionsGroups"][0]["permissions"],
        json!({"allow": [{"action": "*"}]})
    );
    assert_eq!(detailed["permissionsGroups"][0]["owner"], "ovh");
    assert_eq!(
        detailed["permissionsGroups"][1],
        json!({"urn": "urn:v1:eu:permissionsGroup:ovh:gone"})
    );
}

on_both_databases!(an_account_has_so_many_policies_at_most);
async fn an_account_has_so_many_policies_at_most(database: TestDatabase) {
    let server = Server::start_with(&database, &["--max-policies", "3", "--max-entries", "2"]);
    let admin = server.admin().await;
    admin.post(PATH, &policy("third")).await.expect(200);
    let message = admin
        .post(PATH, &policy("fourth"))
        .await
        .refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("has 3 policies, with ovh-default"), "{message}");
    let mut long = policy("long");
    long["identities"] = (0..3).map(|n| format!("urn:v1:eu:identity:user:a/{n}")).collect();
    admin.post(PATH, &long).await.refused(400, "Client::BadRequest::PARAMETER_TOO_LONG");
}
