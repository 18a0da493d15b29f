//! Several nodes on one PostgreSQL.

use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;

use crate::server::{HTTPS, Reply, Server, http};

const VPS: &str = "urn:v1:eu:resource:vps:vps-1";
const REBOOT: &str = "vps:apiovh:reboot";

/// Polls until a condition has the wanted value; returns how long that took.
async fn until(wanted: bool, ask: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while ask().await != wanted {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true");
    }
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
async fn a_change_on_one_node_is_in_force_on_the_other() {
    let database = TestDatabase::postgres().await;
    let server = Server::start_with(&database, &HTTPS);
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
    // A change is announced by NOTIFY, and does not wait for the heartbeat every quarter of a
    // second: so it takes as long as a notification and a request on this machine.
    let mut asked = Vec::new();
    for _ in 0..times.len() {
        asked.push(until(false, async || elsewhere.may(REBOOT, VPS).await).await);
    }
    let reference = median(database.notice_times(times.len()).await) + median(asked);
    let time = median(times);
    assert!(time < 15 * reference, "{time:?} is long beside {reference:?}");
    // Keys and deletions on one node are known to the other.
    let path = format!("/v1/me/api/oauth2/client/{}", caller.id);
    assert_eq!(admin.delete(&path).await.status, 200);
    until(true, async || elsewhere.get("/v1/auth/details").await.status == 401).await;
    // So are the owners of resources.
    admin.post("/v2/iam/resource", &serde_json::json!({"urn": VPS})).await.expect(200);
    let mut same = admin.clone();
    same.url = other_url;
    until(true, async || same.get(&format!("/v2/iam/resource/{VPS}")).await.status == 200).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn whoever_names_the_revision_of_their_change_hears_it_followed_everywhere() {
    let database = TestDatabase::postgres().await;
    let server = Server::start_with(&database, &HTTPS);
    let (mut child, other_url, _) = server.setup().spawn();
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let ask = async |revision: &str| {
        let body = serde_json::json!({"actions": [REBOOT], "resourceURNs": [VPS]});
        let url = format!("{other_url}/v2/iam/authorization/check");
        let request = caller.http.post(url).bearer_auth(&caller.token).json(&body);
        Reply::of(request.header("X-Gatewright-At-Least", revision)).await
    };
    let number = |revision: &str| revision.rsplit_once(':').unwrap().1.parse::<i64>().unwrap();
    for turn in 0..50 {
        let policy = serde_json::json!({
            "name": format!("p{turn}"),
            "identities": [caller.urn()],
            "resources": [{"urn": VPS}],
            "permissions": {"allow": [{"action": REBOOT}]},
        });
        let made = admin.post("/v2/iam/policy", &policy).await;
        let revision = made.header("x-gatewright-revision").to_owned();
        let answer = ask(&revision).await;
        assert!(number(answer.header("x-gatewright-revision")) >= number(&revision));
        let answer = answer.expect(200);
        assert_eq!(answer[0]["authorizedActions"][0], REBOOT, "turn {turn}");
        let path = format!("/v2/iam/policy/{}", made.expect(200)["id"].as_str().unwrap());
        let gone = admin.delete(&path).await;
        let answer = ask(gone.header("x-gatewright-revision")).await.expect(200);
        assert_eq!(answer[0]["unauthorizedActions"][0], REBOOT, "turn {turn}");
    }
    for wrong in ["", "42", "xx11111-ovh:999999", "nobody:1", "xx11111-ovh:-1", "xx11111-ovh:x"] {
        ask(wrong).await.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    }
    let path = format!("/v1/me/api/oauth2/client/{}", caller.id);
    let gone = admin.delete(&path).await;
    assert_eq!(ask(gone.header("x-gatewright-revision")).await.status, 401);
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
    let ready = http().get(format!("{}/readyz", server.operations)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let reply: Reply = check().await;
    assert!(reply.refused(503, "Server::ServiceUnavailable").contains("try again"));
    gone.give_back().await;
    until(true, async || check().await.status == 200).await;
    assert!(admin.may(REBOOT, VPS).await);
}
