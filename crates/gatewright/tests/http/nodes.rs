//! Several nodes on one PostgreSQL.

use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;

use crate::server::{Reply, Server};

const VPS: &str = "urn:v1:eu:resource:vps:vps-1";
const REBOOT: &str = "vps:apiovh:reboot";

/// Asks until the answer is as wanted; how long it took.
async fn until(wanted: bool, ask: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while ask().await != wanted {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true");
    }
    started.elapsed()
}

#[tokio::test]
async fn a_change_on_one_node_is_in_force_on_the_other() {
    let database = TestDatabase::postgres().await;
    let flags = ["--public-url", "https://iam.test"];
    let server = Server::start_with(&database, &flags);
    let (mut child, other_url, _) = server.setup().spawn();
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let mut elsewhere = caller.clone();
    elsewhere.url.clone_from(&other_url);
    assert!(!elsewhere.may(REBOOT, VPS).await);
    let mut times = Vec::new();
    for turn in 0..20 {
        let policy = admin.allow(&format!("p{turn}"), &caller, REBOOT, VPS).await;
        times.push(until(true, async || elsewhere.may(REBOOT, VPS).await).await);
        let path = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
        assert_eq!(admin.delete(&path).await.status, 204);
        times.push(until(false, async || elsewhere.may(REBOOT, VPS).await).await);
    }
    times.sort();
    eprintln!("slowest of {}: {:?}", times.len(), times.last());
    // The keys of one node are known to the other, and so is the end of a service account.
    let path = format!("/v1/me/api/oauth2/client/{}", caller.id);
    assert_eq!(admin.delete(&path).await.status, 200);
    until(true, async || elsewhere.get("/v1/auth/details").await.status == 401).await;
    // Who owns a resource is known to both, too.
    admin.post("/v2/iam/resource", &serde_json::json!({"urn": VPS})).await.expect(200);
    let mut same = admin.clone();
    same.url = other_url;
    until(true, async || same.get(&format!("/v2/iam/resource/{VPS}")).await.status == 200).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_node_that_cannot_reach_the_database_refuses_rather_than_guesses() {
    let database = TestDatabase::postgres().await;
    let server = Server::start(&database);
    let admin = server.admin().await;
    assert!(admin.may(REBOOT, VPS).await);
    let gone = database.take_away().await;
    let check = async || {
        let body = serde_json::json!({"actions": [REBOOT], "resourceURNs": [VPS]});
        admin.post("/v2/iam/authorization/check", &body).await
    };
    until(true, async || check().await.status == 503).await;
    let ready = reqwest::get(format!("{}/readyz", server.operations)).await.unwrap();
    assert_eq!(ready.status(), 503);
    let reply: Reply = check().await;
    assert!(reply.refused(503, "Server::ServiceUnavailable").contains("try again"));
    gone.give_back().await;
    until(true, async || check().await.status == 200).await;
    assert!(admin.may(REBOOT, VPS).await);
}
