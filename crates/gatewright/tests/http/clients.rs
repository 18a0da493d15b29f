//! Service accounts, from their creation to their end.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Reply, Server};

const PATH: &str = "/v1/me/api/oauth2/client";

fn new(name: &str) -> Value {
    json!({"name": name, "description": "for tests", "flow": "CLIENT_CREDENTIALS", "callbackUrls": []})
}

on_both_databases!(a_service_account_is_created_read_changed_and_deleted);
async fn a_service_account_is_created_read_changed_and_deleted(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let reply = admin.post(PATH, &new("deploy bot")).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let made = reply.expect(200);
    let id = made["clientId"].as_str().unwrap();
    assert!(id.starts_with("EU."));
    assert!(made["clientSecret"].as_str().unwrap().starts_with("gws_"));
    let one = format!("{PATH}/{id}");
    let read = admin.get(&one).await.expect(200);
    assert_eq!(read["name"], "deploy bot");
    assert_eq!(read["flow"], "CLIENT_CREDENTIALS");
    assert_eq!(read["identity"], format!("urn:v1:eu:identity:credential:{ACCOUNT}/oauth2-{id}"));
    assert!(read.get("clientSecret").is_none());
    // Clients send whole objects back.
    let mut sent = read.clone();
    sent["description"] = json!("new words");
    sent["flow"] = json!("AUTHORIZATION_CODE");
    let changed = admin.put(&one, &sent).await.expect(200);
    assert_eq!(changed["description"], "new words");
    assert_eq!(changed["flow"], "CLIENT_CREDENTIALS");
    assert_eq!(admin.get(&one).await.expect(200), changed);
    assert_eq!(changed["createdAt"], read["createdAt"]);
    let listed = admin.get(PATH).await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(admin.delete(&one).await.expect(200), Value::Null);
    assert_eq!(
        admin.get(&one).await.refused(404, "Client::NotFound"),
        "The requested object does not exist"
    );
    assert_eq!(admin.get(PATH).await.expect(200), json!([server.client_id]));
}

on_both_databases!(names_need_not_be_unique_and_secrets_differ);
async fn names_need_not_be_unique_and_secrets_differ(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let one = admin.post(PATH, &new("twin")).await.expect(200);
    let other = admin.post(PATH, &new("twin")).await.expect(200);
    assert_ne!(one["clientId"], other["clientId"]);
    assert_ne!(one["clientSecret"], other["clientSecret"]);
}

on_both_databases!(a_client_that_acts_for_people_has_callbacks_and_no_identity);
async fn a_client_that_acts_for_people_has_callbacks_and_no_identity(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut body = new("site");
    body["flow"] = json!("AUTHORIZATION_CODE");
    admin.post(PATH, &body).await.refused(400, "Client::BadRequest::MISSING_PARAMETER");
    body["callbackUrls"] = json!(["not a url"]);
    admin.post(PATH, &body).await.refused(400, "Client::BadRequest::INVALID_FORMAT");
    body["callbackUrls"] = json!(["https://app.example.com/cb", "myapp://cb"]);
    let made = admin.post(PATH, &body).await.expect(200);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let read = admin.get(&format!("{PATH}/{}", text("clientId"))).await.expect(200);
    assert_eq!(read["identity"], Value::Null);
    assert_eq!(read["callbackUrls"], body["callbackUrls"]);
    let reply = server.token(&text("clientId"), &text("clientSecret"), "all").await;
    assert_eq!(reply.expect(400)["error"], "unauthorized_client");
}

on_both_databases!(a_list_is_expanded_sorted_filtered_and_paged);
async fn a_list_is_expanded_sorted_filtered_and_paged(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    for name in ["b", "a", "c d"] {
        admin.post(PATH, &new(name)).await.expect(200);
    }
    let list = async |headers: &[(&str, &str)]| {
        let request = admin.request(Method::GET, PATH);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Reply::of(request.header("X-Pagination-Mode", "CachedObjectList-Pages")).await
    };
    let names = |body: &Value| -> Vec<String> {
        body.as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = list(&[]).await;
    assert_eq!(all.header("x-pagination-elements"), "4");
    assert_eq!(names(&all.body), ["automation", "b", "a", "c d"]);
    let sort = ("X-Pagination-Sort", "name");
    let down = ("X-Pagination-Sort-Order", "DESC");
    assert_eq!(names(&list(&[sort, down]).await.body), ["c d", "b", "automation", "a"]);
    let second = list(&[sort, ("X-Pagination-Size", "3"), ("X-Pagination-Number", "2")]).await;
    assert_eq!(second.header("x-pagination-number"), "2");
    assert_eq!(second.header("x-pagination-size"), "3");
    assert_eq!(names(&second.body), ["c d"]);
    let filter = ("X-Pagination-Filter", "name:like=%25d&flow:eq=CLIENT_CREDENTIALS");
    assert_eq!(names(&list(&[filter]).await.body), ["c d"]);
    for wrong in [
        ("X-Pagination-Filter", "nonsense"),
        ("X-Pagination-Sort", "nothing"),
        ("X-Pagination-Number", "0"),
        ("X-Pagination-Size", "many"),
        ("X-Pagination-Sort-Order", "sideways"),
    ] {
        let order = if wrong.0 == sort.0 { down } else { sort };
        list(&[order, wrong]).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    }
    let mode =
        admin.request(Method::GET, PATH).header("x-pagination-mode", "cachedobjectlist-cursor");
    let reply = Reply::of(mode.header("x-pagination-size", "3")).await;
    assert_eq!(names(&reply.body).len(), 3);
    let next = reply.header("x-pagination-cursor-next").to_owned();
    let mode =
        admin.request(Method::GET, PATH).header("x-pagination-mode", "cachedobjectlist-cursor");
    let reply = Reply::of(mode.header("x-pagination-cursor", next)).await;
    assert_eq!(names(&reply.body), ["c d"]);
    assert_eq!(reply.header("x-pagination-cursor-next"), "");
}

on_both_databases!(an_account_has_so_many_service_accounts_at_most);
async fn an_account_has_so_many_service_accounts_at_most(database: TestDatabase) {
    let server = Server::start_with(&database, &["--max-clients", "2"]);
    let admin = server.admin().await;
    admin.post(PATH, &new("second")).await.expect(200);
    let message =
        admin.post(PATH, &new("third")).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("has 2 service accounts already"), "{message}");
}

on_both_databases!(an_account_reads_and_changes_its_contact_details);
async fn an_account_reads_and_changes_its_contact_details(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let me = admin.get("/1.0/me/").await.expect(200);
    assert_eq!(me["nichandle"], ACCOUNT);
    for never_null in [
        "email",
        "country",
        "currency",
        "legalform",
        "ovhCompany",
        "ovhSubsidiary",
        "state",
        "firstname",
        "name",
    ] {
        assert!(!me[never_null].is_null(), "{never_null}");
    }
    let mut sent = me.clone();
    sent["city"] = json!("Roubaix");
    sent["nichandle"] = json!("zz9-ovh");
    assert_eq!(admin.put("/v1/me", &sent).await.expect(200), Value::Null);
    let after = admin.get("/v1/me").await.expect(200);
    assert_eq!(
        (after["city"].as_str(), after["nichandle"].as_str()),
        (Some("Roubaix"), Some(ACCOUNT))
    );
    for wrong in [
        json!({"country": "Mars"}),
        json!({"country": null}),
        json!({"sex": "x"}),
        json!({"city": 7}),
    ] {
        assert_eq!(admin.put("/v1/me", &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(admin.get("/v1/me").await.expect(200), after);
}

on_both_databases!(a_service_account_is_disabled_in_the_state_that_the_caller_knows);
async fn a_service_account_is_disabled_in_the_state_that_the_caller_knows(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let other = server.stranger(&admin).await;
    let path = format!("/v1/me/api/oauth2/client/{}", other.id);
    let act = async |act: &str, tag: &str| {
        let request = admin.request(Method::POST, &format!("{path}/{act}"));
        Reply::of(request.header("if-match", tag)).await
    };
    let read = admin.get(&path).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(read.expect(200)["enabled"], true);
    act("disable", "\"other\"").await.refused(412, "Client::PreconditionFailed");
    other.get("/v1/auth/details").await.expect(200);
    assert_eq!(act("disable", &tag).await.expect(200)["enabled"], false);
    other.get("/v1/auth/details").await.refused(401, "Client::Unauthorized");
    act("enable", &tag).await.refused(412, "Client::PreconditionFailed");
    let refused = server.token(&other.id, "wrong", "all").await;
    assert_eq!(refused.body["error"], "invalid_client");
    let read = admin.get(&path).await;
    let tag = read.header("etag").to_owned();
    // What clients send back of an object that they have read is accepted.
    admin.put(&path, &read.expect(200)).await.expect(200);
    assert_eq!(act("enable", &tag).await.expect(200)["enabled"], true);
    other.get("/v1/auth/details").await.refused(401, "Client::Unauthorized");
}
