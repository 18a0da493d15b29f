//! More work than the server takes at once: what it refuses, whom it goes on serving, and how it stops.

use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;
use serde_json::json;

use crate::panel_client::{PanelClient, csrf_token};
use crate::server::{ACCOUNT, Server};

/// The time for requests in flight when the server stops, and for what comes after, on a busy machine.
const LONGEST_STOP: Duration = Duration::from_secs(20 + 20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_of_passwords_is_said_so_and_a_known_device_is_served() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let mut owner = PanelClient::new(&server);
    assert_eq!(owner.sign_in(ACCOUNT, &server.password).await.status, 303);
    let mut strangers = tokio::task::JoinSet::new();
    for number in 0..30 {
        let mut stranger = PanelClient::new(&server);
        let form = csrf_token(&stranger.get("/sign-in").await.html);
        strangers.spawn(async move {
            let login = format!("zz{number}-ovh");
            let fields = [("login", &*login), ("password", "wrong"), ("next", "/")];
            stranger.post_with(&form, "/sign-in", &fields).await
        });
    }
    // The session is over; the browser is still known.
    owner.cookies.retain(|(name, _)| name != "gatewright");
    assert_eq!(owner.sign_in(ACCOUNT, &server.password).await.status, 303);
    let (mut busy, mut others) = (0, Vec::new());
    for seen in strangers.join_all().await {
        match seen.status {
            503 => {
                busy += 1;
                assert_eq!(seen.headers["retry-after"], "1");
            }
            other => others.push(other),
        }
    }
    assert!(busy > 0, "the queue was never full: {others:?}");
    assert!(others.iter().all(|status| [401, 429].contains(status)), "{others:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_decides_large_requests_stops_in_time() {
    let database = TestDatabase::sqlite();
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let hour = json!({"operator": "MATCH", "values": {"date(Europe/Paris).Hour.GE": "0"}});
    for number in 0..6 {
        let policy = json!({
            "name": format!("costly-{number}"), "identities": [admin.urn()],
            "resources": [{"urn": "urn:v1:eu:resource:*"}],
            "permissions": {"allow": [{"action": "*"}]},
            "conditions": {"operator": "AND", "conditions": vec![&hour; 1_000]},
        });
        admin.post("/v2/iam/policy", &policy).await.expect(200);
    }
    let urns: Vec<String> =
        (0..5_000).map(|number| format!("urn:v1:eu:resource:vps:v{number}")).collect();
    let body = json!({"actions": ["vps:apiovh:reboot"], "resourceURNs": urns});
    let mut checks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (admin, body) = (admin.clone(), body.clone());
        checks.spawn(async move {
            let request = admin.request(reqwest::Method::POST, "/v2/iam/authorization/check");
            request.json(&body).send().await.map(|reply| reply.status().as_u16())
        });
    }
    // Two of them are being decided, and the others wait.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    let took = began.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < LONGEST_STOP, "{took:?}");
    // Each was answered or refused, or its connection closed.
    for check in checks.join_all().await {
        assert!(check.as_ref().is_ok_and(|status| [200, 503].contains(status)) || check.is_err());
    }
}
