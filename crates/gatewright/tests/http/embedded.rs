//! Decisions in process, from a server's feed of facts.

use std::time::Duration;

use gatewright_embedded::{
    DecisionPoint, Environment, Region, ReplicaRequest, ResourceUrn, Scope, Settings, now,
};
use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::json;

use crate::server::{ACCOUNT, Caller, Server, http};

const SOON: Duration = Duration::from_secs(20);

/// Creates a decision point whose service account may follow, and nothing else.
async fn point(server: &Server, admin: &Caller, offline: Duration) -> DecisionPoint {
    let new = json!({"name": "point", "description": "x", "flow": "CLIENT_CREDENTIALS"});
    let made = admin.post("/v1/me/api/oauth2/client", &new).await.expect(200);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let follows = Caller { id: text("clientId"), ..admin.clone() };
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    admin.allow("follows", &follows, "account:apiovh:iam/replica/get", &account).await;
    let credentials = (text("clientId"), text("clientSecret"));
    let point = DecisionPoint::open(Settings { url: server.url.clone(), credentials, offline });
    point.wait_for_revision(0, SOON).await.unwrap();
    point
}

/// Waits until the point has followed what the caller has just done.
async fn wait_for_revision(point: &DecisionPoint, caller: &Caller) {
    let reply = caller.get("/v1/auth/details").await;
    let revision = reply.header("x-gatewright-revision").rsplit_once(':').unwrap().1.to_owned();
    point.wait_for_revision(revision.parse().unwrap(), SOON).await.unwrap();
}

fn may(point: &DecisionPoint, subject: &str, action: &str, name: &str) -> bool {
    let resource = ResourceUrn::of(Region::Eu, "vps", name).unwrap();
    let environment = Environment { now: now(), ip: None };
    let (scope, token) = (&Scope::All, None);
    let request =
        ReplicaRequest { subject, scope, token, action, resource: &resource, environment };
    point.decide(&request).unwrap().allowed
}

on_both_databases!(a_point_in_process_decides_as_the_server_does);
async fn a_point_in_process_decides_as_the_server_does(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let before = server.stranger(&admin).await;
    let point = point(&server, &admin, SOON).await;
    let callers = [before, server.stranger(&admin).await];
    let actions = ["vps:apiovh:get", "vps:apiovh:reboot", "vps:apiovh:terminate"];
    let names = ["a", "b"];
    let mut ids = Vec::new();
    for name in names {
        let urn = format!("urn:v1:eu:resource:vps:{name}");
        let tags = json!({"env": if name == "a" { "test" } else { "live" }});
        let made = json!({"urn": urn, "tags": tags});
        ids.push(admin.post("/v2/iam/resource", &made).await.expect(200)["id"].clone());
    }
    let group = json!({"name": "g", "resources": [{"id": ids[1]}]});
    let group = admin.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let group = group["urn"].as_str().unwrap();
    let own = json!({"name": "restart", "description": "x", "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]}});
    let own = admin.post("/v2/iam/permissionsGroup", &own).await.expect(200);
    let mut seed = 11_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut made: Vec<String> = Vec::new();
    let (mut yes, mut no) = (0, 0);
    for round in 0..30 {
        let resource = ["urn:v1:eu:resource:vps:*", "urn:v1:eu:resource:vps:a", group][random(3)];
        let list = ["allow", "allow", "except", "deny"][random(4)];
        let mut policy = json!({
            "name": format!("random-{round}"),
            "identities": [callers[random(2)].urn()],
            "resources": [{"urn": resource}],
            "permissions": {"allow": [{"action": actions[random(3)]}], list: [{"action": actions[random(3)]}]},
        });
        if random(3) == 0 {
            policy["permissionsGroups"] = json!([{"urn": own["urn"]}]);
        }
        if random(3) == 0 {
            policy["conditions"] =
                json!({"operator": "MATCH", "values": {"resource.Tag(env)": "test"}});
        }
        let policy = admin.post("/v2/iam/policy", &policy).await.expect(200);
        made.push(policy["id"].as_str().unwrap().to_owned());
        if random(2) == 0 {
            let gone = made.swap_remove(random(made.len()));
            assert_eq!(admin.delete(&format!("/v2/iam/policy/{gone}")).await.status, 204);
        }
        wait_for_revision(&point, &admin).await;
        for (caller, name) in [(0, "a"), (0, "b"), (1, "a"), (1, "b")] {
            let caller = &callers[caller];
            let urn = format!("urn:v1:eu:resource:vps:{name}");
            let body = json!({"actions": actions, "resourceURNs": [urn]});
            let answer = caller.post("/v2/iam/authorization/check", &body).await.expect(200);
            for action in actions {
                let here = may(&point, &caller.urn(), action, name);
                let there = answer[0]["authorizedActions"].as_array().unwrap();
                assert_eq!(here, there.contains(&json!(action)), "{round} {action} {name}");
                if here { yes += 1 } else { no += 1 }
            }
        }
    }
    assert!(yes > 20 && no > 20, "{yes} {no}");
}

on_both_databases!(what_ends_elsewhere_ends_in_process);
async fn what_ends_elsewhere_ends_in_process(database: TestDatabase) {
    let mut server = Server::start_with(
        &database,
        &["--listen", &format!("127.0.0.1:{}", crate::programs::free_port())],
    );
    let admin = server.admin().await;
    let point = point(&server, &admin, Duration::from_mins(1)).await;
    let caller = server.stranger(&admin).await;
    let action = "vps:apiovh:get";
    admin.allow("get", &caller, action, "urn:v1:eu:resource:vps:a").await;
    wait_for_revision(&point, &admin).await;
    assert!(may(&point, &caller.urn(), action, "a"));

    // After an outage, the server is followed on from the last revision.
    server.crash();
    assert!(may(&point, &caller.urn(), action, "a"), "it answers offline");
    let admin = server.admin().await;
    let other = server.stranger(&admin).await;
    admin.allow("again", &other, action, "urn:v1:eu:resource:vps:a").await;
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", caller.id)).await.expect(200);
    wait_for_revision(&point, &admin).await;
    assert!(!may(&point, &caller.urn(), action, "a"), "the service account is gone");
    assert!(may(&point, &other.urn(), action, "a"));
}

on_both_databases!(actions_that_are_declared_meanwhile_are_known_in_process);
async fn actions_that_are_declared_meanwhile_are_known_in_process(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let point = point(&server, &admin, SOON).await;
    let caller = server.stranger(&admin).await;
    let action = "vps:library:lend";
    let api = json!({"openapi": "3.1.0", "paths": {"/books/{id}": {"get": {
        "x-iam-actions": [{"name": action}],
        "x-iam-resource": {"type": "vps", "in": "path", "name": "id"},
    }}}});
    admin.put("/v2/iam/api/library", &api).await.expect(200);
    admin.allow("lend", &caller, action, "urn:v1:eu:resource:vps:a").await;
    wait_for_revision(&point, &admin).await;
    assert!(may(&point, &caller.urn(), action, "a"));
}

on_both_databases!(only_who_may_follow_is_told);
async fn only_who_may_follow_is_told(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let stranger = server.stranger(&admin).await;
    stranger.get("/v2/iam/replica").await.refused(403, "Client::Forbidden");
    server.bearing("").get("/v2/iam/replica").await.refused(401, "Client::Unauthorized");
    for wrong in ["x", "-1", "1000000", ""] {
        let path = format!("/v2/iam/replica?after={wrong}");
        admin.get(&path).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    }
}

on_both_databases!(no_secret_is_told);
async fn no_secret_is_told(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let user = json!({"login": "ada", "email": "ada@example.com", "password": "correct horse battery", "description": "x"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let mut stream = admin.request(reqwest::Method::GET, "/v2/iam/replica").send().await.unwrap();
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains("\"reached\"") {
        told.extend_from_slice(&stream.chunk().await.unwrap().unwrap());
    }
    let told = String::from_utf8(told).unwrap();
    for secret in ["argon2", "gws_", "ada@example.com", "\"secret\"", "\"password\""] {
        assert!(!told.contains(secret), "{secret}");
    }
    assert!(told.contains("urn:v1:eu:identity:user:xx11111-ovh/ada"));
}

#[tokio::test]
async fn a_point_that_is_out_of_touch_for_too_long_decides_nothing() {
    let database = TestDatabase::sqlite();
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let offline = Duration::from_millis(1_500);
    let point = point(&server, &admin, offline).await;
    assert!(may(&point, &admin.urn(), "vps:apiovh:get", "a"));
    let stopped = std::time::Instant::now();
    server.stop();
    assert!(
        stopped.elapsed() < Duration::from_secs(10),
        "who follows does not keep it from stopping"
    );
    let resource = ResourceUrn::of(Region::Eu, "vps", "a").unwrap();
    let environment = Environment { now: now(), ip: None };
    let (subject, action) = (admin.urn(), "vps:apiovh:get");
    let scope = &Scope::All;
    let asked = ReplicaRequest {
        subject: &subject,
        scope,
        token: None,
        action,
        resource: &resource,
        environment,
    };
    while point.decide(&asked).is_ok() {
        assert!(stopped.elapsed() < SOON, "it goes on without end");
        tokio::task::yield_now().await;
    }
    assert!(http().get(&server.url).send().await.is_err());
}
