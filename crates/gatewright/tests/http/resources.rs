//! Resources, their tags, and the catalogue.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Server, part};

const PATH: &str = "/v2/iam/resource";
const VPS: &str = "urn:v1:eu:resource:vps:vps-1";

async fn registered(admin: &crate::server::Caller) -> Value {
    let body =
        json!({"urn": VPS, "displayName": "Web", "tags": {"env": "production", "team": "web"}});
    admin.post(PATH, &body).await.expect(200)
}

fn urns(body: &Value) -> Vec<&str> {
    body.as_array().unwrap().iter().map(|one| one["urn"].as_str().unwrap()).collect()
}

on_both_databases!(a_resource_is_registered_read_and_forgotten);
async fn a_resource_is_registered_read_and_forgotten(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let made = registered(&admin).await;
    assert_eq!(
        made,
        json!({
            "displayName": "Web", "id": made["id"], "name": "vps-1", "owner": ACCOUNT,
            "tags": {"env": "production", "team": "web"}, "type": "vps", "urn": VPS,
        })
    );
    for path in [format!("{PATH}/{VPS}"), format!("{PATH}/{}", part(VPS))] {
        assert_eq!(admin.get(&path).await.expect(200), made);
    }
    let again = json!({"type": "vps", "name": "vps-1"});
    admin.post(PATH, &again).await.refused(409, "Client::Conflict::AlreadyExists");
    for wrong in [
        json!({}),
        json!({"type": "vps"}),
        json!({"urn": "nonsense"}),
        json!({"urn": "urn:v1:eu:resource:vps:*"}),
        json!({"urn": "urn:v1:ca:resource:vps:x"}),
        json!({"urn": "urn:v1:eu:resource:account:zz9-ovh"}),
        json!({"type": "vps", "name": "x", "owner": "zz9-ovh"}),
        json!({"type": "vps", "name": "x", "tags": {"a b": ""}}),
        json!({"type": "vps", "name": "x", "tags": {"ovh:type": "x"}}),
        json!({"type": "vps", "name": "a b"}),
    ] {
        assert_eq!(admin.post(PATH, &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(admin.delete(&format!("{PATH}/{VPS}")).await.status, 204);
    admin.get(&format!("{PATH}/{VPS}")).await.refused(404, "Client::NotFound");
    admin.delete(&format!("{PATH}/{VPS}")).await.refused(404, "Client::NotFound");
    registered(&admin).await;
    let account = format!("{PATH}/urn:v1:eu:resource:account:{ACCOUNT}");
    admin.delete(&account).await.refused(403, "Client::Forbidden");
}

on_both_databases!(tags_are_added_replaced_and_removed);
async fn tags_are_added_replaced_and_removed(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    registered(&admin).await;
    let (one, tag) = (format!("{PATH}/{VPS}"), format!("{PATH}/{VPS}/tag"));
    let tags = async || admin.get(&one).await.expect(200)["tags"].clone();
    assert_eq!(admin.post(&tag, &json!({"key": "env", "value": ""})).await.status, 204);
    assert_eq!(tags().await, json!({"env": "", "team": "web"}));
    assert_eq!(admin.delete(&format!("{tag}/env")).await.status, 204);
    assert_eq!(admin.delete(&format!("{tag}/env")).await.status, 204);
    assert_eq!(tags().await, json!({"team": "web"}));
    let put = admin.put(&one, &json!({"urn": "ignored", "tags": {"a/b:c": "1"}})).await.expect(200);
    assert_eq!(put["tags"], json!({"a/b:c": "1"}));
    assert_eq!(admin.delete(&format!("{tag}/{}", part("a/b:c"))).await.status, 204);
    assert_eq!(tags().await, json!({}));
    let long = "x".repeat(129);
    for wrong in [
        json!({"key": "", "value": "x"}),
        json!({"key": long, "value": "x"}),
        json!({"key": "a", "value": "x".repeat(257)}),
        json!({"key": "é", "value": "x"}),
        json!({"key": "ovh:x", "value": "x"}),
        json!({"key": "a"}),
        json!({"key": "a", "value": 1}),
    ] {
        assert_eq!(admin.post(&tag, &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(admin.delete(&format!("{tag}/ovh:x")).await.status, 400);
    let gone = format!("{PATH}/urn:v1:eu:resource:vps:gone/tag");
    admin.post(&gone, &json!({"key": "a", "value": "b"})).await.refused(404, "Client::NotFound");
    assert_eq!(tags().await, json!({}));
}

on_both_databases!(system_tags_are_kept_and_belong_to_registrars);
async fn system_tags_are_kept_and_belong_to_registrars(database: TestDatabase) {
    let server = Server::start_with(&database, &["--registrars", "xx11111-ovh"]);
    let admin = server.admin().await;
    let body = json!({"urn": VPS, "tags": {"ovh:type": "big", "mine": "1"}});
    admin.post(PATH, &body).await.expect(200);
    let one = format!("{PATH}/{VPS}");
    let put = admin.put(&one, &json!({"tags": {"new": "2"}})).await.expect(200);
    assert_eq!(put["tags"], json!({"new": "2", "ovh:type": "big"}));
    let put = admin.put(&one, &json!({"tags": {"ovh:type": "big"}})).await.expect(200);
    assert_eq!(put["tags"], json!({"ovh:type": "big"}));
    for wrong in [json!({"tags": {"ovh:type": "small"}}), json!({"tags": {"ovh:other": "x"}})] {
        admin.put(&one, &wrong).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    }
    let customer = server.setup().create_account("yy2-ovh");
    let text = |name: &str| customer[name].as_str().unwrap().to_owned();
    let customer = server.login(&text("clientId"), &text("clientSecret")).await;
    let theirs = json!({"type": "vps", "name": "theirs"});
    customer.post(PATH, &theirs).await.refused(403, "Client::Forbidden");
    let theirs = json!({"type": "vps", "name": "theirs", "owner": "yy2-ovh"});
    assert_eq!(admin.post(PATH, &theirs).await.expect(200)["owner"], "yy2-ovh");
    let seen = customer.get(&format!("{PATH}?resourceType=vps")).await.expect(200);
    assert_eq!(urns(&seen), ["urn:v1:eu:resource:vps:theirs"]);
    let nobody = json!({"type": "vps", "name": "x", "owner": "qq7-ovh"});
    admin.post(PATH, &nobody).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
}

on_both_databases!(tagging_needs_a_right_on_the_account_and_one_on_the_resource);
async fn tagging_needs_a_right_on_the_account_and_one_on_the_resource(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    registered(&admin).await;
    let caller = server.stranger(&admin).await;
    let tag = json!({"key": "env", "value": "test"});
    let path = format!("{PATH}/{VPS}/tag");
    let missing = async || {
        let reply = caller.post(&path, &tag).await;
        assert_eq!(reply.status, 403);
        reply.body["details"]["unauthorizedActionsByIAM"].as_str().unwrap().to_owned()
    };
    let on_account = "account:apiovh:iam/resource/tag/add";
    let on_resource = "vps:apiovh:iam/resource/tag/add";
    assert_eq!(missing().await, format!("{on_account},{on_resource}"));
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    admin.allow("one", &caller, on_account, &account).await;
    assert_eq!(missing().await, on_resource);
    admin.allow("two", &caller, on_resource, VPS).await;
    assert_eq!(caller.post(&path, &tag).await.status, 204);
    // Replacing all tags also requires the right to remove tags.
    admin.allow("three", &caller, "account:apiovh:iam/resource/edit", &account).await;
    let reply = caller.put(&format!("{PATH}/{VPS}"), &json!({"tags": {"env": "other"}})).await;
    assert_eq!(
        reply.body["details"]["unauthorizedActionsByIAM"],
        "vps:apiovh:iam/resource/tag/remove"
    );
    let kept = json!({"tags": {"env": "other", "team": "web"}});
    caller.put(&format!("{PATH}/{VPS}"), &kept).await.expect(200);
}

on_both_databases!(a_list_is_filtered);
async fn a_list_is_filtered(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    for (kind, name, tags) in [
        ("vps", "web-1", json!({"env": "production"})),
        ("vps", "web-2", json!({"env": "Test"})),
        ("webHosting", "shop.example", json!({"env": "production", "x": "1"})),
    ] {
        let body = json!({"type": kind, "name": name, "tags": tags});
        admin.post(PATH, &body).await.expect(200);
    }
    let list = async |query: &str| {
        let body = admin.get(&format!("{PATH}?{query}")).await.expect(200);
        let names = body.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
        names.filter(|name| *name != ACCOUNT).collect::<Vec<_>>().join(" ")
    };
    let tags = |filter: Value| format!("tags={}", part(&filter.to_string()));
    assert_eq!(list("").await, "web-1 web-2 shop.example");
    assert_eq!(list("resourceType=vps").await, "web-1 web-2");
    assert_eq!(list("resourceType=web*&resourceName=*shop*").await, "shop.example");
    assert_eq!(list("resourceURN=urn:v1:eu:resource:vps:web-*").await, "web-1 web-2");
    assert_eq!(list("resourceName=web-1&resourceName=shop.example").await, "web-1 shop.example");
    assert_eq!(
        list(&tags(json!({"env": [{"operator": "EQ", "value": "production"}]}))).await,
        "web-1 shop.example"
    );
    assert_eq!(
        list(&tags(json!({"env": [{"value": "production"}], "x": [{"operator": "EXISTS"}]}))).await,
        "shop.example"
    );
    assert_eq!(list(&tags(json!({"env": [{"operator": "ILIKE", "value": "t%t"}]}))).await, "web-2");
    assert_eq!(list(&tags(json!({"env": [{"operator": "LIKE", "value": "t%t"}]}))).await, "");
    assert_eq!(
        list(&tags(
            json!({"env": [{"operator": "NEQ", "value": "production"}, {"operator": "EXISTS"}]})
        ))
        .await,
        "web-2"
    );
    assert_eq!(list(&tags(json!({"x": [{"operator": "NEXISTS"}]}))).await, "web-1 web-2");
    for wrong in
        ["tags=x", "tags={\"a\":[{\"operator\":\"IS\"}]}", "tags={\"a\":[{\"operator\":\"EQ\"}]}"]
    {
        assert_eq!(admin.get(&format!("{PATH}?{wrong}")).await.status, 400, "{wrong}");
    }
    let first = admin.request(reqwest::Method::GET, PATH).header("x-pagination-size", "3");
    let first = crate::server::Reply::of(first).await;
    let next = first.header("x-pagination-cursor-next").to_owned();
    let second = admin.request(reqwest::Method::GET, PATH).header("x-pagination-cursor", next);
    let second = crate::server::Reply::of(second).await;
    assert_eq!(
        (urns(&first.body).len(), urns(&second.body)),
        (3, vec!["urn:v1:eu:resource:webHosting:shop.example"])
    );
}

on_both_databases!(one_sees_the_resources_on_which_one_may_do_something);
async fn one_sees_the_resources_on_which_one_may_do_something(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    registered(&admin).await;
    let caller = server.stranger(&admin).await;
    assert_eq!(caller.get(PATH).await.expect(200), json!([]));
    caller.get(&format!("{PATH}/{VPS}")).await.refused(404, "Client::NotFound");
    admin.allow("see", &caller, "vps:apiovh:reboot", VPS).await;
    assert_eq!(urns(&caller.get(PATH).await.expect(200)), [VPS]);
    caller.get(&format!("{PATH}/{VPS}")).await.expect(200);
}

on_both_databases!(the_reference_lists_actions_and_types);
async fn the_reference_lists_actions_and_types(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let product = json!({"product": "Coffee", "actions": [
            {"action": "machine:brew:start", "description": "Start a brew", "categories": ["OPERATE"]}]});
    std::fs::write(folder.path().join("coffee.json"), product.to_string()).unwrap();
    let openapi = json!({"openapi": "3.0.0", "paths": {"/pot": {"get": {
            "summary": "Look at a pot", "x-iam-actions": [{"name": "pot:tea:get", "required": true}]}}}});
    std::fs::write(folder.path().join("tea.json"), openapi.to_string()).unwrap();
    let products = folder.path().to_str().unwrap();
    let server = Server::start_with(&database, &["--products", products]);
    let admin = server.admin().await;
    let all = admin.get("/v2/iam/reference/action").await.expect(200);
    assert!(all.as_array().unwrap().len() > 2_800);
    let some = admin.get("/v2/iam/reference/action?resourceType=machine").await.expect(200);
    assert_eq!(
        some[1],
        json!({
            "action": "machine:apiovh:iam/resource/tag/remove", "categories": ["EDIT"],
            "description": "Remove iam resource tag", "hasQueryParameters": false, "resourceType": "machine"})
    );
    assert_eq!(some[2]["description"], "Start a brew");
    let types = admin.get("/v2/iam/reference/resource/type").await.expect(200);
    assert!(types.as_array().unwrap().contains(&json!("pot")));
    assert!(admin.may("machine:brew:start", "urn:v1:eu:resource:machine:m1").await);
    assert!(admin.may("pot:tea:get", "urn:v1:eu:resource:pot:p1").await);
}
