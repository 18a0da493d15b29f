//! Permissions groups and resource groups.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Reply, Server, part};

const PERMISSIONS: &str = "/v2/iam/permissionsGroup";
const RESOURCES: &str = "/v2/iam/resourceGroup";

fn permissions(name: &str, action: &str) -> Value {
    json!({"name": name, "description": "", "permissions": {"allow": [{"action": action}]}})
}

on_both_databases!(a_permissions_group_is_created_read_changed_and_deleted);
async fn a_permissions_group_is_created_read_changed_and_deleted(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let made = admin.post(PERMISSIONS, &permissions("readers", "*get")).await.expect(200);
    let urn = format!("urn:v1:eu:permissionsGroup:{ACCOUNT}:readers");
    assert_eq!((made["urn"].as_str(), made["owner"].as_str()), (Some(urn.as_str()), Some(ACCOUNT)));
    admin
        .post(PERMISSIONS, &permissions("readers", "*"))
        .await
        .refused(409, "Client::Conflict::AlreadyExists");
    for path in [format!("{PERMISSIONS}/{urn}"), format!("{PERMISSIONS}/{}", part(&urn))] {
        assert_eq!(admin.get(&path).await.expect(200), made);
    }
    let one = format!("{PERMISSIONS}/{urn}");
    let changed = admin.put(&one, &permissions("readers", "vps:*")).await.expect(200);
    assert_eq!(changed["permissions"]["allow"], json!([{"action": "vps:*"}]));
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(
        admin.put(&one, &permissions("lookers", "vps:*")).await.expect(200)["urn"],
        format!("urn:v1:eu:permissionsGroup:{ACCOUNT}:lookers")
    );
    admin.get(&one).await.refused(404, "Client::NotFound");
    let one = format!("{PERMISSIONS}/urn:v1:eu:permissionsGroup:{ACCOUNT}:lookers");
    assert_eq!(admin.delete(&one).await.status, 204);
    admin.delete(&one).await.refused(404, "Client::NotFound");
}

on_both_databases!(managed_groups_come_first_and_cannot_be_changed);
async fn managed_groups_come_first_and_cannot_be_changed(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post(PERMISSIONS, &permissions("mine", "*get")).await.expect(200);
    let all = admin.get(PERMISSIONS).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 12);
    assert_eq!(all[11]["name"], "mine");
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = admin.request(Method::GET, PERMISSIONS).header("x-pagination-size", "5");
        let reply = Reply::of(request.header("x-pagination-cursor", &cursor)).await;
        names.extend(reply.body.as_array().unwrap().iter().map(|one| one["name"].clone()));
        reply.header("x-pagination-cursor-next").clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 12);
    let one = format!("{PERMISSIONS}/urn:v1:eu:permissionsGroup:ovh:globalAdmin");
    let read = admin.get(&one).await.expect(200);
    assert_eq!(
        (read["owner"].as_str(), read["id"].as_str()),
        (Some("ovh"), Some("00000000-0000-0000-0001-000000000001"))
    );
    admin.put(&one, &permissions("globalAdmin", "*")).await.refused(403, "Client::Forbidden");
    admin.delete(&one).await.refused(403, "Client::Forbidden");
    for (urn, status) in [
        ("urn:v1:eu:permissionsGroup:ovh:nothing", 404),
        ("urn:v1:eu:permissionsGroup:zz9-ovh:x", 404),
        ("urn:v1:ca:permissionsGroup:ovh:globalAdmin", 400),
        ("nonsense", 400),
    ] {
        assert_eq!(admin.get(&format!("{PERMISSIONS}/{urn}")).await.status, status, "{urn}");
    }
}

on_both_databases!(a_permissions_group_in_use_keeps_its_name);
async fn a_permissions_group_in_use_keeps_its_name(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let made = admin.post(PERMISSIONS, &permissions("used", "*get")).await.expect(200);
    let policy = json!({
        "name": "user", "identities": [], "resources": [], "permissions": {},
        "permissionsGroups": [{"urn": made["urn"]}],
    });
    let policy = admin.post("/v2/iam/policy", &policy).await.expect(200);
    let one = format!("{PERMISSIONS}/{}", made["urn"].as_str().unwrap());
    let message = admin
        .put(&one, &permissions("other", "*get"))
        .await
        .refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("while policies use this"), "{message}");
    admin.put(&one, &permissions("used", "vps:*")).await.expect(200);
    let policy = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
    assert_eq!(admin.delete(&policy).await.status, 204);
    admin.put(&one, &permissions("other", "*get")).await.expect(200);
}

on_both_databases!(a_resource_group_is_created_read_changed_and_deleted);
async fn a_resource_group_is_created_read_changed_and_deleted(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let resource = json!({"type": "ip", "name": "192.0.2.0/24"});
    let resource = admin.post("/v2/iam/resource", &resource).await.expect(200);
    let unknown = "urn:v1:eu:resource:vps:unknown";
    let body = json!({"name": "mixed", "resources": [
            {"id": resource["id"], "name": "ignored"}, {"urn": unknown}, {"urn": unknown}]});
    let made = admin.post(RESOURCES, &body).await.expect(200);
    assert_eq!(made["urn"], format!("urn:v1:eu:resourceGroup:{}", made["id"].as_str().unwrap()));
    assert_eq!(made["resources"].as_array().unwrap().len(), 2);
    assert_eq!(made["resources"][0], json!({"id": resource["id"]}));
    let one = format!("{RESOURCES}/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&one).await.expect(200), made);
    let detailed = admin.get(&format!("{one}?details=true")).await.expect(200);
    assert_eq!(detailed["resources"][0]["urn"], "urn:v1:eu:resource:ip:192.0.2.0/24");
    assert_eq!(detailed["resources"][0]["owner"], ACCOUNT);
    assert_eq!(detailed["resources"][1]["urn"], unknown);
    // The object that was read is sent back, including identifiers of unknown resources.
    let sent = json!({"name": "renamed", "resources": made["resources"]});
    let changed = admin.put(&one, &sent).await.expect(200);
    assert_eq!((&changed["name"], &changed["resources"]), (&json!("renamed"), &made["resources"]));
    let sent = json!({"name": "renamed", "resources": []});
    assert_eq!(admin.put(&one, &sent).await.expect(200)["resources"], json!([]));
    for wrong in [
        json!({"name": "x", "resources": [{"id": "00000000-0000-0000-0000-000000000000"}]}),
        json!({"name": "x", "resources": [{"urn": "urn:v1:eu:resource:vps:*"}]}),
        json!({"name": "x", "resources": [{}]}),
        json!({"name": "x y", "resources": []}),
        json!({"name": "x"}),
    ] {
        assert_eq!(admin.put(&one, &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(admin.delete(&one).await.status, 204);
    admin.get(&one).await.refused(404, "Client::NotFound");
}

on_both_databases!(the_servers_own_resource_group_holds_everything);
async fn the_servers_own_resource_group_holds_everything(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let all = admin.get(&format!("{RESOURCES}?details=true")).await.expect(200);
    assert_eq!(
        (all[0]["name"].as_str(), all[0]["readOnly"].as_bool()),
        (Some("ovh-all"), Some(true))
    );
    assert_eq!(all[0]["resources"][0]["type"], "account");
    let one = format!("{RESOURCES}/{}", all[0]["id"].as_str().unwrap());
    admin.put(&one, &json!({"name": "x", "resources": []})).await.refused(403, "Client::Forbidden");
    admin.delete(&one).await.refused(403, "Client::Forbidden");
}
