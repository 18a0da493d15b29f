//! A PostgreSQL that is slow, far away, silent, or gone for a while.

use std::time::{Duration, Instant};

use gatewright_testing::{Relay, TestDatabase};
use serde_json::{Value, json};

use crate::server::{Caller, Reply, Server};

const VPS: &str = "urn:v1:eu:resource:vps:web-1";
const REBOOT: &str = "vps:apiovh:reboot";

/// The setting `database-timeout`, in seconds.
const TIMEOUT: u64 = 2;

/// The longest that an answer may take: a connection is waited for, then the database, on a busy machine.
const LONGEST: Duration = Duration::from_secs(TIMEOUT + TIMEOUT / 2 + 2);

/// A server that reaches its database by way of a relay.
async fn server() -> (Server, Relay) {
    let database = TestDatabase::postgres().await;
    let relay = Relay::to(&database.address).await;
    let at = relay.url(&database.address);
    let timeout = TIMEOUT.to_string();
    let server = Server::start_at(&database, &["--database-timeout", &timeout], &at);
    (server, relay)
}

/// Returns the body of a policy that allows a caller an action.
fn policy(name: &str, caller: &Caller) -> Value {
    json!({
        "name": name,
        "identities": [caller.urn()],
        "resources": [{"urn": VPS}],
        "permissions": {"allow": [{"action": REBOOT}]},
    })
}

async fn check(caller: &Caller) -> Reply {
    let body = json!({"actions": [REBOOT], "resourceURNs": [VPS]});
    caller.post("/v2/iam/authorization/check", &body).await
}

/// Waits until decisions are answered with a status.
async fn until(status: u16, caller: &Caller) {
    let started = Instant::now();
    while check(caller).await.status != status {
        assert!(started.elapsed() < Duration::from_secs(20), "never {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Checks that requests of all kinds are answered 503 in time, however many there are.
async fn refuses_in_time(server: &Server, admin: &Caller) {
    let mut asked = tokio::task::JoinSet::new();
    for turn in 0..60 {
        let (admin, url) = (admin.clone(), server.url.clone());
        let (id, secret) = (server.client_id.clone(), server.client_secret.clone());
        asked.spawn(async move {
            let began = Instant::now();
            let reply = match turn % 4 {
                0 => check(&admin).await,
                1 => admin.get("/v2/iam/policy").await,
                2 => admin.post("/v2/iam/policy", &policy(&format!("p{turn}"), &admin)).await,
                _ => {
                    let form = [("grant_type", "client_credentials"), ("scope", "all")];
                    let request = admin.http.post(format!("{url}/auth/oauth2/token"));
                    Reply::of(request.basic_auth(id, Some(secret)).form(&form)).await
                }
            };
            (turn, reply, began.elapsed())
        });
    }
    for (turn, reply, took) in asked.join_all().await {
        assert_eq!(reply.status, 503, "{turn}: {}", reply.body);
        assert_eq!(reply.header("retry-after"), "2", "{turn}");
        assert!(took < LONGEST, "{turn}: {took:?}");
    }
}

/// Checks that everything works, soon.
async fn works(server: &Server, admin: &Caller, name: &str) {
    until(200, admin).await;
    admin.post("/v2/iam/policy", &policy(name, admin)).await.expect(200);
    server.token(&server.client_id, &server.client_secret, "all").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_database_delays_changes_and_no_decisions() {
    let (server, relay) = server().await;
    let admin = server.admin().await;
    until(200, &admin).await;
    relay.delay(Duration::from_millis(150));
    // Once it listens again, if that was interrupted.
    works(&server, &admin, "far").await;
    let began = Instant::now();
    admin.post("/v2/iam/policy", &policy("later", &admin)).await.expect(200);
    assert!(began.elapsed() >= Duration::from_millis(150), "a change waits for the database");
    let mut fast = 0;
    for _ in 0..20 {
        let began = Instant::now();
        check(&admin).await.expect(200);
        fast += usize::from(began.elapsed() < Duration::from_millis(150));
    }
    assert!(fast > 15, "{fast} decisions of 20 from memory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_waited_for_no_longer_than_the_setting_says() {
    let (server, relay) = server().await;
    let admin = server.admin().await;
    check(&admin).await.expect(200);
    // Changes are on their way when it falls silent.
    relay.delay(Duration::from_millis(50));
    let mut changes = tokio::task::JoinSet::new();
    for turn in 0..20 {
        let admin = admin.clone();
        changes.spawn(async move {
            let new = policy(&format!("on-the-way-{turn}"), &admin);
            admin.post("/v2/iam/policy", &new).await.status
        });
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    relay.hold();
    let began = Instant::now();
    // Memory answers for as long as it is fresh, and no longer.
    check(&admin).await.expect(200);
    let statuses = changes.join_all().await;
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    refuses_in_time(&server, &admin).await;
    refuses_in_time(&server, &admin).await;
    relay.delay(Duration::ZERO);
    works(&server, &admin, "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_connections_are_cut_is_found_again() {
    let (server, relay) = server().await;
    let admin = server.admin().await;
    for turn in 0..2 {
        until(200, &admin).await;
        relay.cut();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        refuses_in_time(&server, &admin).await;
        relay.delay(Duration::ZERO);
        works(&server, &admin, &format!("after-{turn}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_can_only_be_read_answers_reads_and_decisions() {
    let database = TestDatabase::postgres().await;
    let server = Server::start(&database);
    let admin = server.admin().await;
    let name = database.address.rsplit_once('/').unwrap().1.to_owned();
    let disconnect =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let operator = TestDatabase::at(std::env::var(gatewright_testing::POSTGRES).unwrap());
    let set = async |value: &str| {
        let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
        operator.run(&alter).await;
        operator.run(&disconnect).await;
    };
    set("on").await;
    until(200, &admin).await;
    let refused = admin.post("/v2/iam/policy", &policy("p", &admin)).await;
    let message = refused.refused(503, "Server::ServiceUnavailable");
    assert!(message.contains("only be read"), "{message}");
    for path in ["/v2/iam/policy", "/v1/me/api/oauth2/client", "/v1/me"] {
        admin.get(path).await.expect(200);
    }
    server.token(&server.client_id, &server.client_secret, "all").await.expect(200);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    check(&admin).await.expect(200);
    set("off").await;
    works(&server, &admin, "p").await;
}
