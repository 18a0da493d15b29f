//! Decisions over the wire, and changes that are in force when they are acknowledged.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Caller, Server, part};

const VPS: &str = "urn:v1:eu:resource:vps:vps-1";
const REBOOT: &str = "vps:apiovh:reboot";

async fn customer(server: &Server, name: &str) -> Caller {
    let made = server.setup().create_account(name);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    server.login(&text("clientId"), &text("clientSecret")).await
}

on_both_databases!(a_check_parts_what_one_may_from_what_one_may_not);
async fn a_check_parts_what_one_may_from_what_one_may_not(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    admin.allow("reboot", &caller, REBOOT, VPS).await;
    let other = "urn:v1:eu:resource:vps:other";
    let body = json!({"actions": [REBOOT, "vps:apiovh:start"], "resourceURNs": [VPS, other]});
    assert_eq!(
        caller.post("/v2/iam/authorization/check", &body).await.expect(200),
        json!([
            {"resourceURN": VPS, "authorizedActions": [REBOOT], "unauthorizedActions": ["vps:apiovh:start"]},
            {"resourceURN": other, "authorizedActions": [], "unauthorizedActions": [REBOOT, "vps:apiovh:start"]},
        ])
    );
    let body = json!({"actions": [REBOOT]});
    for urn in [VPS.to_owned(), part(VPS)] {
        let path = format!("/v2/iam/resource/{urn}/authorization/check");
        assert_eq!(
            caller.post(&path, &body).await.expect(200),
            json!({"authorizedActions": [REBOOT], "unauthorizedActions": []})
        );
    }
    // A resource of the wrong type is denied, however wide the permission.
    assert!(admin.may(REBOOT, VPS).await);
    assert!(!admin.may(REBOOT, "urn:v1:eu:resource:webHosting:x").await);
}

on_both_databases!(one_unknown_action_fails_the_whole_check);
async fn one_unknown_action_fails_the_whole_check(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let check = async |body: Value| admin.post("/v2/iam/authorization/check", &body).await;
    let body = json!({"actions": [REBOOT, "vps:apiovh:fly"], "resourceURNs": [VPS]});
    assert_eq!(
        check(body).await.refused(400, "Client::BadRequest"),
        "Unknown action \"vps:apiovh:fly\""
    );
    let body = json!({"actions": ["vps:apiovh:*"], "resourceURNs": []});
    check(body).await.refused(400, "Client::BadRequest");
    for urn in [
        "",
        "x",
        "urn:v1:eu:resource:vps:*",
        "urn:v1:ca:resource:vps:x",
        "urn:v1:eu:identity:account:x",
    ] {
        let body = json!({"actions": [REBOOT], "resourceURNs": [VPS, urn]});
        check(body).await.refused(400, "Client::BadRequest::INVALID_RESOURCE_URN");
    }
    let body = json!({"actions": vec![REBOOT; 400], "resourceURNs": vec![VPS; 400]});
    check(body).await.refused(400, "Client::BadRequest::PARAMETER_TOO_LONG");
    let action = "pccVMware:vSphere:assumeRole?role=admin";
    assert!(admin.may(action, "urn:v1:eu:resource:pccVMware:p").await);
}

on_both_databases!(a_large_check_is_answered_as_small_ones_are);
async fn a_large_check_is_answered_as_small_ones_are(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    admin.allow("some", &caller, REBOOT, "urn:v1:eu:resource:vps:r1*").await;
    let urns: Vec<String> =
        (0..2_000).map(|number| format!("urn:v1:eu:resource:vps:r{number}")).collect();
    let body = json!({"actions": [REBOOT], "resourceURNs": urns});
    let answer = caller.post("/v2/iam/authorization/check", &body).await.expect(200);
    let answer = answer.as_array().unwrap();
    assert_eq!(answer.len(), 2_000);
    for (one, urn) in answer.iter().zip(&urns) {
        let expected =
            if urn.contains(":r1") { "authorizedActions" } else { "unauthorizedActions" };
        assert_eq!((&one["resourceURN"], &one[expected]), (&json!(urn), &json!([REBOOT])));
    }
}

on_both_databases!(what_is_too_long_or_too_large_together_is_refused);
async fn what_is_too_long_or_too_large_together_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let long = format!("urn:v1:eu:resource:vps:{}", "x".repeat(1_100));
    let body = json!({"actions": [REBOOT]});
    let path = format!("/v2/iam/resource/{long}/authorization/check");
    admin.post(&path, &body).await.refused(400, "Client::BadRequest::PARAMETER_TOO_LONG");
    // Each evaluation has a copy of the defaults.
    let one = json!({"type": "vps", "id": "x", "properties": {"a": "y".repeat(16_000)}});
    let batch = json!({
        "subject": {"type": "user", "id": "jane"}, "action": {"name": REBOOT}, "resource": one,
        "evaluations": vec![json!({}); 10_000],
    });
    let answer = admin.post("/access/v1/evaluations", &batch).await;
    answer.refused(413, "Client::PayloadTooLarge");
    let mut one = batch.clone();
    one["resource"]["properties"]["a"] = json!("y".repeat(17_000));
    one["evaluations"] = json!([{}]);
    let answer = admin.post("/access/v1/evaluations", &one).await.expect(200);
    assert_eq!(answer["evaluations"][0]["context"]["error"]["status"], 400);
}

on_both_databases!(every_change_is_in_force_when_it_is_acknowledged);
async fn every_change_is_in_force_when_it_is_acknowledged(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let urn = caller.urn();
    let resource = json!({"urn": VPS, "tags": {"env": "test"}});
    admin.post("/v2/iam/resource", &resource).await.expect(200);
    let permissions = |action: &str| {
        json!({"name": "g", "description": "",
            "permissions": {"allow": [{"action": action}]}})
    };
    let permissions_group =
        admin.post("/v2/iam/permissionsGroup", &permissions(REBOOT)).await.expect(200);
    let members = |list: Value| json!({"name": "g", "resources": list});
    let resource_group =
        admin.post("/v2/iam/resourceGroup", &members(json!([{"urn": VPS}]))).await.expect(200);
    let policy = |conditions: Value| {
        json!({
            "name": "p", "identities": [urn], "resources": [{"urn": resource_group["urn"]}],
            "permissions": {"allow": []}, "permissionsGroups": [{"urn": permissions_group["urn"]}],
            "conditions": conditions,
        })
    };
    let production = json!({"operator": "MATCH", "values": {"resource.Tag(env)": "production"}});
    let path = |kind: &str, one: &Value, key: &str| {
        format!("/v2/iam/{kind}/{}", one[key].as_str().unwrap())
    };

    assert!(!caller.may(REBOOT, VPS).await);
    let made = admin.post("/v2/iam/policy", &policy(Value::Null)).await.expect(200);
    assert!(caller.may(REBOOT, VPS).await, "a policy was created");
    let policy_path = path("policy", &made, "id");
    admin.put(&policy_path, &policy(production)).await.expect(200);
    assert!(!caller.may(REBOOT, VPS).await, "a policy was changed");
    let tag = format!("/v2/iam/resource/{VPS}/tag");
    let added = admin.post(&tag, &json!({"key": "env", "value": "production"})).await;
    assert_eq!(added.status, 204);
    assert!(caller.may(REBOOT, VPS).await, "a tag was changed");
    assert_eq!(admin.delete(&format!("{tag}/env")).await.status, 204);
    assert!(!caller.may(REBOOT, VPS).await, "a tag was removed");
    admin.put(&policy_path, &policy(Value::Null)).await.expect(200);
    let group_path = path("permissionsGroup", &permissions_group, "urn");
    admin.put(&group_path, &permissions("vps:apiovh:start")).await.expect(200);
    assert!(!caller.may(REBOOT, VPS).await, "a permissions group was changed");
    admin.put(&group_path, &permissions("vps:*")).await.expect(200);
    assert!(caller.may(REBOOT, VPS).await);
    let members_path = path("resourceGroup", &resource_group, "id");
    admin.put(&members_path, &members(json!([]))).await.expect(200);
    assert!(!caller.may(REBOOT, VPS).await, "a resource group was changed");
    admin.put(&members_path, &members(json!([{"urn": VPS}]))).await.expect(200);
    assert!(caller.may(REBOOT, VPS).await);
    assert_eq!(admin.delete(&members_path).await.status, 204);
    assert!(!caller.may(REBOOT, VPS).await, "a resource group was deleted");
    admin.allow("direct", &caller, REBOOT, VPS).await;
    assert!(caller.may(REBOOT, VPS).await);
    let mut deny = policy(Value::Null);
    deny["name"] = json!("deny");
    deny["resources"] = json!([{"urn": "urn:v1:eu:resource:*"}]);
    deny["permissions"] = json!({"deny": [{"action": "*reboot"}]});
    let made = admin.post("/v2/iam/policy", &deny).await.expect(200);
    assert!(!caller.may(REBOOT, VPS).await, "a deny came");
    assert_eq!(admin.delete(&path("policy", &made, "id")).await.status, 204);
    assert!(caller.may(REBOOT, VPS).await, "a deny went");
    assert!(server.setup().run(&["journal", "verify", "--account", ACCOUNT]).0);
}

on_both_databases!(another_account_passes_on_what_it_was_given_and_no_more);
async fn another_account_passes_on_what_it_was_given_and_no_more(database: TestDatabase) {
    let server = Server::start(&database);
    let owner = server.admin().await;
    let other = customer(&server, "yy2-ovh").await;
    owner.post("/v2/iam/resource", &json!({"urn": VPS})).await.expect(200);
    // Full access to one's own account is no access to another.
    assert!(!other.may(REBOOT, VPS).await);
    other.get(&format!("/v2/iam/resource/{VPS}")).await.refused(404, "Client::NotFound");
    let give = json!({
        "name": "give", "identities": ["urn:v1:eu:identity:account:yy2-ovh"],
        "resources": [{"urn": VPS}], "permissions": {"allow": [{"action": REBOOT}]},
    });
    let given = owner.post("/v2/iam/policy", &give).await.expect(200);
    assert!(other.may(REBOOT, VPS).await);
    assert!(!other.may("vps:apiovh:start", VPS).await);
    let seen = other.get("/v2/iam/resource?resourceType=vps").await.expect(200);
    assert_eq!((seen[0]["urn"].as_str(), seen[0]["owner"].as_str()), (Some(VPS), Some(ACCOUNT)));
    let group = json!({"name": "mixed", "resources": [{"id": seen[0]["id"]}]});
    other.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let path = format!("/v2/iam/policy/{}", given["id"].as_str().unwrap());
    other.get(&path).await.refused(404, "Client::NotFound");
    other.delete(&path).await.refused(404, "Client::NotFound");
    assert_eq!(owner.delete(&path).await.status, 204);
    assert!(!other.may(REBOOT, VPS).await);
    assert_eq!(other.get("/v2/iam/resource?resourceType=vps").await.expect(200), json!([]));
}

on_both_databases!(one_accounts_objects_are_not_found_from_another);
async fn one_accounts_objects_are_not_found_from_another(database: TestDatabase) {
    let server = Server::start(&database);
    let owner = server.admin().await;
    let other = customer(&server, "yy2-ovh").await;
    let stranger = server.stranger(&owner).await;
    let group = json!({"name": "g", "description": "", "permissions": {}});
    let group = owner.post("/v2/iam/permissionsGroup", &group).await.expect(200);
    let members = json!({"name": "g", "resources": []});
    let members = owner.post("/v2/iam/resourceGroup", &members).await.expect(200);
    let paths = [
        format!("/v1/me/api/oauth2/client/{}", stranger.id),
        format!("/v2/iam/permissionsGroup/{}", group["urn"].as_str().unwrap()),
        format!("/v2/iam/resourceGroup/{}", members["id"].as_str().unwrap()),
    ];
    for path in paths {
        owner.get(&path).await.expect(200);
        other.get(&path).await.refused(404, "Client::NotFound");
        other.delete(&path).await.refused(404, "Client::NotFound");
        owner.get(&path).await.expect(200);
    }
    // Both accounts may use the same names.
    let group = json!({"name": "g", "description": "", "permissions": {}});
    other.post("/v2/iam/permissionsGroup", &group).await.expect(200);
}

on_both_databases!(naming_anothers_resource_tells_nothing_about_it);
async fn naming_anothers_resource_tells_nothing_about_it(database: TestDatabase) {
    let server = Server::start(&database);
    let owner = server.admin().await;
    let other = customer(&server, "yy2-ovh").await;
    let secret = json!({"urn": VPS, "displayName": "Payroll", "tags": {"env": "production"}});
    owner.post("/v2/iam/resource", &secret).await.expect(200);
    let policy = other.allow("curious", &other, REBOOT, VPS).await;
    let policy = format!("/v2/iam/policy/{}?details=true", policy["id"].as_str().unwrap());
    let group = json!({"name": "curious", "resources": [{"urn": VPS}]});
    let group = other.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let group = format!("/v2/iam/resourceGroup/{}?details=true", group["id"].as_str().unwrap());
    for path in [&policy, &group] {
        let told = other.get(path).await.expect(200)["resources"].to_string();
        assert!(!told.contains("Payroll") && !told.contains("production"), "{told}");
        assert!(!told.contains(ACCOUNT), "{told}");
    }
    // The name of a resource is visible to those who were granted access to it.
    let give = json!({
        "name": "give", "identities": ["urn:v1:eu:identity:account:yy2-ovh"],
        "resources": [{"urn": VPS}], "permissions": {"allow": [{"action": REBOOT}]},
    });
    owner.post("/v2/iam/policy", &give).await.expect(200);
    for path in [&policy, &group] {
        let told = other.get(path).await.expect(200)["resources"].to_string();
        assert!(told.contains("Payroll"), "{told}");
    }
}

on_both_databases!(a_resource_that_was_unknown_belongs_to_whom_registers_it);
async fn a_resource_that_was_unknown_belongs_to_whom_registers_it(database: TestDatabase) {
    let server = Server::start(&database);
    let owner = server.admin().await;
    let other = customer(&server, "yy2-ovh").await;
    assert!(owner.may(REBOOT, VPS).await && other.may(REBOOT, VPS).await);
    owner.post("/v2/iam/resource", &json!({"urn": VPS})).await.expect(200);
    assert!(owner.may(REBOOT, VPS).await);
    assert!(!other.may(REBOOT, VPS).await);
    other.delete(&format!("/v2/iam/resource/{VPS}")).await.refused(404, "Client::NotFound");
}

on_both_databases!(conditions_look_at_the_callers_address_and_the_tags);
async fn conditions_look_at_the_callers_address_and_the_tags(database: TestDatabase) {
    let server = Server::start_with(&database, &["--trusted-proxies", "127.0.0.0/8"]);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let body = json!({
        "name": "office", "identities": [caller.urn()], "resources": [{"urn": VPS}],
        "permissions": {"allow": [{"action": "*"}]},
        "conditions": {"operator": "MATCH", "values": {"request.IP.IN_RANGE": "203.0.113.0/24"}},
    });
    admin.post("/v2/iam/policy", &body).await.expect(200);
    assert!(!caller.may(REBOOT, VPS).await);
    let from = async |address: &str| {
        let path = format!("/v2/iam/resource/{VPS}/authorization/check");
        let request =
            caller.request(reqwest::Method::POST, &path).json(&json!({"actions": [REBOOT]}));
        let reply = crate::server::Reply::of(request.header("X-Forwarded-For", address)).await;
        reply.expect(200)["authorizedActions"] == json!([REBOOT])
    };
    assert!(from("203.0.113.7").await);
    assert!(from("6.6.6.6, 203.0.113.7, 127.0.0.1").await);
    assert!(!from("203.0.113.7, 6.6.6.6").await);
}
