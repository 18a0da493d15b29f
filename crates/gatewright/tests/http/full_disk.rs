//! A disk that is full, as the limit of the size of files simulates it: a write beyond it fails, and all
//! that needs none goes on.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;
use serde_json::{Value, json};

use crate::server::{Caller, Server, http};

const VPS: &str = "urn:v1:eu:resource:vps:web-1";
const REBOOT: &str = "vps:apiovh:reboot";

/// Limits the files that a server writes to a number of bytes, or to none.
fn limit(server: &Server, bytes: Option<u64>) {
    let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let (process, limit) = (server.process().to_string(), format!("--fsize={soft}:"));
    let done = Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap();
    assert!(done.success());
}

fn policy(name: &str, caller: &Caller, description: &str) -> Value {
    json!({
        "name": name,
        "description": description,
        "identities": [caller.urn()],
        "resources": [{"urn": VPS}],
        "permissions": {"allow": [{"action": REBOOT}]},
    })
}

/// Checks that a change is refused for lack of room.
async fn is_refused(admin: &Caller, name: &str, description: &str) {
    let reply = admin.post("/v2/iam/policy", &policy(name, admin, description)).await;
    assert_eq!(reply.header("retry-after"), "2");
    let message = reply.refused(503, "Server::ServiceUnavailable");
    assert!(message.contains("no room"), "{message}");
}

async fn metric(server: &Server, name: &str) -> f64 {
    let text = http().get(format!("{}/metrics", server.operations)).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

/// Waits for a condition.
async fn until(fault: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{fault}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Writes a file that takes all the room that there is.
fn fill_up(path: &std::path::Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_something_away_has_room_on_a_full_disk() {
    const MIB: f64 = 1_048_576.0;
    let database = TestDatabase::sqlite();
    let server = Server::start_on_small_disk(&database, 32, &["--disk-reserve", "8"]);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let mut paths = Vec::new();
    for turn in 0..40 {
        let made = admin.allow(&format!("p{turn}"), &caller, REBOOT, VPS).await;
        paths.push(format!("/v2/iam/policy/{}", made["id"].as_str().unwrap()));
    }
    assert!(caller.may(REBOOT, VPS).await);
    let kept = async || metric(&server, "gatewright_disk_reserve_bytes").await;
    until("no room is kept", async || kept().await == 8.0 * MIB).await;
    let filler = server.small_disk().join("filler");
    fill_up(&filler);
    // What the log of the database still has room for is used up.
    let name = async |turn: usize| {
        let new = policy(&format!("q{turn}"), &admin, &"x".repeat(200));
        admin.post("/v2/iam/policy", &new).await.status
    };
    let mut turn = 0;
    while name(turn).await == 200 {
        assert!(turn < 10_000, "the disk is never full");
        turn += 1;
        fill_up(&filler.with_extension(turn.to_string()));
    }
    is_refused(&admin, "more", "").await;
    for path in &paths {
        assert_eq!(admin.delete(path).await.status, 204);
        is_refused(&admin, "more", "").await;
    }
    assert!(!caller.may(REBOOT, VPS).await);
    let disable = format!("/v1/me/api/oauth2/client/{}/disable", caller.id);
    admin.post(&disable, &json!({})).await.expect(200);
    assert_eq!(server.token(&caller.id, "wrong", "all").await.status, 401);
    caller.get("/v1/me").await.refused(401, "Client::Unauthorized");
    until("the reserve is whole", async || kept().await < 8.0 * MIB).await;
    assert!(kept().await > 0.0, "a part of the reserve was enough");
    for file in std::fs::read_dir(server.small_disk()).unwrap().map(Result::unwrap) {
        if file.file_name().to_str().unwrap().starts_with("filler") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    until("there is no room again", async || name(10_000).await == 200).await;
    until("the reserve stays small", async || kept().await == 8.0 * MIB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_changes_and_nothing_else_until_there_is_room() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let made = admin.allow("before", &caller, REBOOT, VPS).await;
    let path = format!("/v2/iam/policy/{}", made["id"].as_str().unwrap());
    assert!(caller.may(REBOOT, VPS).await);
    limit(&server, Some(0));
    for turn in 0..3 {
        is_refused(&admin, &format!("p{turn}"), "").await;
        // To take access away needs room as well.
        admin.delete(&path).await.refused(503, "Server::ServiceUnavailable");
        assert!(caller.may(REBOOT, VPS).await);
        for list in ["/v2/iam/policy", "/v2/iam/resource", "/v1/me/api/oauth2/client", "/v1/me"] {
            admin.get(list).await.expect(200);
        }
        server.token(&server.client_id, &server.client_secret, "all").await.expect(200);
        // The activity of this second is lost, and counted.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    limit(&server, None);
    // Within seconds, without a restart.
    let again =
        async || admin.post("/v2/iam/policy", &policy("after", &admin, "")).await.status == 200;
    until("there is no room", again).await;
    assert_eq!(admin.delete(&path).await.status, 204);
    assert!(!caller.may(REBOOT, VPS).await);
    let names = admin.get("/v2/iam/policy").await.expect(200);
    let has = |name: &str| names.as_array().unwrap().iter().any(|one| one["name"] == name);
    assert!(has("after") && !has("before") && !has("p0") && !has("p2"), "{names}");
    let counted = async || metric(&server, "gatewright_log_lines_left_out_total").await >= 3.0;
    until("lost lines are not counted", counted).await;
    let (holds, said) = server.setup().run(&["journal", "verify"]);
    assert!(holds, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_in_the_middle_of_a_change_leaves_none_of_it() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let log = format!("{}-wal", database.address.strip_prefix("sqlite:").unwrap());
    let (text, mut refusals) = ("x".repeat(200), 0);
    for (turn, room) in [0, 1, 100, 4_096, 5_000, 10_000, 30_000, 100_000].into_iter().enumerate() {
        let there = std::fs::metadata(&log).unwrap().len();
        limit(&server, Some(there + room));
        let mut made = 0;
        let refused = loop {
            let name = format!("t{turn}-{made}");
            let reply = admin.post("/v2/iam/policy", &policy(&name, &admin, &text)).await;
            if reply.status != 200 || made > 200 {
                break reply;
            }
            made += 1;
        };
        // The log begins anew when it is large, and has room then.
        if made <= 200 {
            refusals += 1;
            refused.refused(503, "Server::ServiceUnavailable");
            is_refused(&admin, &format!("t{turn}-{made}"), &text).await;
        }
        limit(&server, None);
        let name = format!("t{turn}-{made}");
        if made <= 200 {
            let again = admin.post("/v2/iam/policy", &policy(&name, &admin, &text)).await;
            again.expect(200);
        }
    }
    assert!(refusals >= 4, "the disk was full {refusals} times");
    let (holds, said) = server.setup().run(&["journal", "verify"]);
    assert!(holds, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_meet_a_full_disk_at_once_are_refused_one_by_one() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    limit(&server, Some(0));
    let mut asked = tokio::task::JoinSet::new();
    for turn in 0..40 {
        let admin = admin.clone();
        asked.spawn(async move { is_refused(&admin, &format!("p{turn}"), "").await });
    }
    asked.join_all().await;
    limit(&server, None);
    admin.post("/v2/iam/policy", &policy("p0", &admin, "")).await.expect(200);
}
