//! The API log, the audit log and the activity log.

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Reply, Server, part};

const CALLS: &str = "/v1/me/api/logs/self";
const AUDIT: &str = "/v1/me/logs/audit";

fn of_type<'e>(events: &'e Value, kind: &str) -> Vec<&'e Value> {
    events.as_array().unwrap().iter().filter(|event| event["type"] == kind).collect()
}

on_both_databases!(every_call_is_written_down_with_its_caller);
async fn every_call_is_written_down_with_its_caller(database: TestDatabase) {
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    admin.get("/v1/me?secret=hidden").await.expect(200);
    admin.get("/v1/me/api/oauth2/client/EU.0").await.refused(404, "Client::NotFound");
    let ids = admin.get(CALLS).await.expect(200);
    let ids: Vec<i64> = serde_json::from_value(ids).unwrap();
    assert!(ids.is_sorted_by(|a, b| a > b), "the last first: {ids:?}");
    let one = admin.get(&format!("{CALLS}/{}", ids[0])).await.expect(200);
    assert_eq!(one["path"], "/v1/me/api/oauth2/client/EU.0");
    assert_eq!(one["route"], "/me/api/oauth2/client/{clientId}");
    assert_eq!((&one["method"], &one["account"]), (&json!("GET"), &json!(ACCOUNT)));
    assert_eq!(one["ip"], "127.0.0.1");
    let before = admin.get(&format!("{CALLS}/{}", ids[1])).await.expect(200);
    assert_eq!(before["path"], "/v1/me", "queries are not written down");

    server.stop();
    server.restart();
    let admin = server.admin().await;
    assert_eq!(admin.get(&format!("{CALLS}/{}", ids[0])).await.expect(200), one);
    for wrong in ["x", "-1", "99999999999999999999", "1.5"] {
        assert_eq!(admin.get(&format!("{CALLS}/{wrong}")).await.status, 400, "{wrong}");
    }
    admin.get(&format!("{CALLS}/7")).await.refused(404, "Client::NotFound");

    let other = server.setup().create_account("zz99999-ovh");
    let text = |name: &str| other[name].as_str().unwrap();
    let other = server.login(text("clientId"), text("clientSecret")).await;
    assert_eq!(other.get(CALLS).await.expect(200), json!([]), "another account's calls");
}

on_both_databases!(the_audit_says_who_changed_what);
async fn the_audit_says_who_changed_what(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let user = json!({"login": "jane", "password": "correct horse", "description": "a"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let edit = json!({"description": "b"});
    admin.put("/v1/me/identity/user/jane", &edit).await.expect(200);
    let token = json!({"name": "laptop", "description": "c", "expiresIn": 60});
    admin.post("/v1/me/identity/user/jane/token", &token).await.expect(200);
    let stranger = server.stranger(&admin).await;
    let urn = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    let policy = admin.allow("p", &stranger, "account:apiovh:me/get", &urn).await;
    let path = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    let mut visitor = crate::panel_client::PanelClient::new(&server);
    visitor.sign_in(&format!("{ACCOUNT}/jane"), "correct horse").await;

    let events = admin.get(AUDIT).await.expect(200);
    let fields: Vec<usize> =
        events.as_array().unwrap().iter().map(|one| one.as_object().unwrap().len()).collect();
    assert!(fields.iter().all(|count| *count == 25), "{fields:?}");
    let marks = |kind: &str| of_type(&events, kind)[0]["equalToAdministrator"].clone();
    assert_eq!((marks("POLICY_CREATED"), marks("USER_CREATED")), (json!(false), json!(false)));
    let admins = admin.get(AUDIT).await.expect(200);
    assert!(
        of_type(&admins, "POLICY_CREATED").iter().any(|one| one["equalToAdministrator"] == true)
    );
    let mut owner = crate::panel_client::PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    for (filter, expected) in [("policy+created", true), ("user+created", false)] {
        let page = owner.get(&format!("/logs/audit?what={filter}")).await.html;
        assert_eq!(page.contains("Equal to administrator"), expected, "{filter}");
    }
    let modified = of_type(&events, "USER_MODIFIED");
    let details = &modified[0]["userModifiedDetails"];
    assert_eq!(
        (&details["old"]["description"], &details["new"]["description"]),
        (&json!("a"), &json!("b"))
    );
    assert_eq!(modified[0]["userCreatedDetails"], Value::Null);
    let created = &of_type(&events, "TOKEN_CREATED")[0]["tokenCreatedDetails"];
    assert_eq!((&created["user"], &created["tokenName"]), (&json!("jane"), &json!("laptop")));
    assert!(created["new"]["expiresAt"].is_string());
    let made = &of_type(&events, "POLICY_CREATED")[0]["policyCreatedDetails"];
    assert_eq!(made["added"]["identities"], json!([stranger.urn()]));
    let gone = &of_type(&events, "POLICY_DELETED")[0]["policyDeletedDetails"];
    assert_eq!((&gone["policyId"], &gone["removed"]["resources"]), (&policy["id"], &json!([urn])));
    let login = &of_type(&events, "LOGIN_SUCCESS")[0];
    assert_eq!(login["authDetails"]["userDetails"], json!({"type": "USER", "user": "jane"}));
    assert_eq!(login["loginSuccessDetails"]["mfaType"], "NONE");
    assert!(!events.to_string().contains("correct horse"));
}

on_both_databases!(activity_is_found_by_time_and_by_exact_values);
async fn activity_is_found_by_time_and_by_exact_values(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (one, other) = (server.stranger(&admin).await, server.stranger(&admin).await);
    let urn = "urn:v1:eu:resource:vps:web-1";
    admin.allow("p", &one, "vps:apiovh:reboot", urn).await;
    for (caller, allowed) in [(&one, true), (&one, true), (&other, false)] {
        assert_eq!(caller.may("vps:apiovh:reboot", urn).await, allowed);
    }
    assert!(!one.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:web-2").await);
    let find = async |kind: &str, query: &str| {
        let lines = admin.get(&format!("/v2/iam/activity/{kind}?{query}")).await.expect(200);
        lines.as_array().unwrap().clone()
    };
    let actor = format!("actor={}", part(&one.urn()));
    let lines = find("decision", &actor).await;
    let outcomes: Vec<_> =
        lines.iter().map(|line| (line["resource"] == urn, line["outcome"].clone())).collect();
    let allowed = || (true, json!("allowed"));
    assert_eq!(outcomes, [(false, json!("denied")), allowed(), allowed()], "the last first");
    let last = &lines[0];
    assert_eq!((&last["action"], &last["count"]), (&json!("vps:apiovh:reboot"), &json!(1)));
    assert_eq!((&last["actor"], &last["reason"]), (&json!(one.urn()), &json!("notAllowed")));
    let query_id = last["queryId"].as_str().unwrap();
    assert_eq!(find("decision", &format!("queryId={query_id}")).await, std::slice::from_ref(last));
    let count = async |query: &str| find("decision", query).await.len();
    let about = format!("action=vps:apiovh:reboot&resource={urn}");
    assert_eq!(count(&about).await, 3);
    assert_eq!(count(&format!("{about}&outcome=denied")).await, 1);
    assert_eq!(count(&format!("{about}&outcome=allowed&{actor}")).await, 2);
    assert_eq!(count("action=vps:apiovh").await, 0, "values are compared whole");
    let date = lines[1]["date"].as_str().unwrap();
    assert_eq!(count(&format!("{actor}&to={date}")).await, 1);
    assert_eq!(count(&format!("{actor}&from={date}")).await, 2);
    assert_eq!(find("token", &actor).await.len(), 1);
    assert!(!find("call", "outcome=200&action=GET").await.is_empty());
    assert!(find("call", "outcome=418").await.is_empty());

    let path = format!("/v2/iam/activity/decision?{actor}");
    let page = admin.request(reqwest::Method::GET, &path).header("X-Pagination-Size", "2");
    let page = Reply::of(page).await;
    let cursor = page.header("x-pagination-cursor-next").to_owned();
    assert_eq!(page.expect(200), json!(lines[..2]));
    let go_on = |path: &str| {
        admin.request(reqwest::Method::GET, path).header("X-Pagination-Cursor", &cursor)
    };
    assert_eq!(Reply::of(go_on(&path)).await.expect(200), json!(lines[2..]));
    let refused = Reply::of(go_on("/v2/iam/activity/decision?outcome=denied")).await;
    assert_eq!(refused.refused(400, "Client::BadRequest"), "invalid cursor");

    for (query, class) in [
        ("from=yesterday", "INVALID_FORMAT"),
        ("to=2026-05-12", "INVALID_FORMAT"),
        ("outcome=refused", "INVALID_FORMAT"),
        ("outcome=99", "INVALID_FORMAT"),
        ("actor=", "MISSING_PARAMETER"),
        ("actor=a&actor=b", "INVALID_PARAMETER"),
        ("actors=a", "INVALID_PARAMETER"),
        ("from=2026-05-12T09:30:00Z&to=2026-05-12T09:30:00Z", "INVALID_PARAMETER"),
    ] {
        let reply = admin.get(&format!("/v2/iam/activity/decision?{query}")).await;
        reply.refused(400, &format!("Client::BadRequest::{class}"));
    }
    one.get("/v2/iam/activity/decision?from=yesterday").await.refused(403, "Client::Forbidden");
}
