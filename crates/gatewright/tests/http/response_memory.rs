//! Clients that request large responses and do not take them leave memory for others.

use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::connection_limits::{PATIENCE, metric};
use crate::http2::{Connection, HEADERS, RESET};
use crate::server::{Caller, Server, http};

/// The part of the smallest memory that an account has: half of what authenticated callers have, in bytes.
const SHARE: f64 = 1.5 * 1_048_576.0;

const MEMORY: &str = "gatewright_response_memory_bytes{listener=\"clients\"}";
const REFUSED: &str = "gatewright_responses_refused_total{listener=\"clients\"}";

fn start(database: &TestDatabase, flags: &[&str]) -> Server {
    Server::start_with(database, &[&["--max-response-memory", "4"], flags].concat())
}

/// Creates a policy of about 300 KiB; returns its path.
async fn large_policy(caller: &Caller) -> String {
    let urn = |number| format!("urn:v1:eu:resource:vps:{number:080}");
    let resources: Vec<Value> = (0..2_500).map(|number| json!({"urn": urn(number)})).collect();
    let policy = json!({
        "name": "large",
        "identities": [caller.urn()],
        "resources": resources,
        "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
    });
    let made = caller.post("/v2/iam/policy", &policy).await.expect(200);
    format!("/v2/iam/policy/{}", made["id"].as_str().unwrap())
}

/// Returns a value among the metrics; 0 where there is none yet.
async fn value(server: &Server, metric: &str) -> f64 {
    let response = http().get(format!("{}/metrics", server.operations)).send().await.unwrap();
    let text = response.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(metric));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

/// A client that takes a window of each response, and no more.
struct Greedy {
    connection: Connection,
    bearer: String,
    /// The number of the next stream.
    next: u32,
}

impl Greedy {
    async fn open(server: &Server, caller: &Caller, window: u32) -> Self {
        let port = server.url.rsplit(':').next().unwrap().parse().unwrap();
        let connection = Connection::open_with_window(port, window).await;
        Self { connection, bearer: format!("Bearer {}", caller.token), next: 1 }
    }

    /// Sends requests, and waits until all are answered.
    async fn request(&mut self, path: &str, count: usize) {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
            ("authorization", &self.bearer),
        ];
        for _ in 0..count {
            self.connection.request(self.next, &fields).await;
            self.next += 2;
        }
        self.wait_for(HEADERS, count).await;
    }

    /// Waits for so many frames of a type.
    async fn wait_for(&mut self, wanted: u8, mut count: usize) {
        while count > 0 {
            let read = tokio::time::timeout(PATIENCE, self.connection.read_frame()).await;
            let (kind, ..) = read.expect("a frame").expect("an open connection");
            count -= usize::from(kind == wanted);
        }
    }
}

/// Waits until an account holds most of its share, and is refused more.
async fn filled(server: &Server) {
    let begun = Instant::now();
    loop {
        let (held, refused) = (value(server, MEMORY).await, value(server, REFUSED).await);
        assert!(held <= SHARE, "{held}");
        if held > SHARE / 2.0 && refused > 0.0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{held} bytes are held, {refused} refused");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both_databases!(streams_that_are_not_read_hold_the_share_of_their_account_and_no_more);
async fn streams_that_are_not_read_hold_the_share_of_their_account_and_no_more(
    database: TestDatabase,
) {
    let server = start(&database, &[]);
    let admin = server.admin().await;
    let path = large_policy(&admin).await;
    let second = server.setup().create_account("yy22222-ovh");
    let text = |name: &str| second[name].as_str().unwrap().to_owned();
    let other = server.login(&text("clientId"), &text("clientSecret")).await;
    let mut greedy = Vec::new();
    for window in [0, 1, 70_000] {
        let mut client = Greedy::open(&server, &admin, window).await;
        client.request(&path, 32).await;
        greedy.push(client);
    }
    filled(&server).await;
    let refused = admin.get(&path).await;
    assert_eq!(refused.header("retry-after"), "1");
    let _ = refused.refused(503, "Server::ServiceUnavailable");
    assert!(admin.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:web-1").await);
    let actions = other.get("/v2/iam/reference/action").await.expect(200);
    assert!(actions.to_string().len() > 16 << 10, "it is large");
    drop(greedy);
    metric(&server, &format!("{MEMORY} 0")).await;
    let _ = admin.get(&path).await.expect(200);
}

on_both_databases!(a_stream_of_which_nothing_is_taken_is_reset_and_its_connection_goes_on);
async fn a_stream_of_which_nothing_is_taken_is_reset_and_its_connection_goes_on(
    database: TestDatabase,
) {
    let server = start(&database, &["--write-timeout", "1"]);
    let admin = server.admin().await;
    let path = large_policy(&admin).await;
    for window in [0, 1, 70_000] {
        let mut client = Greedy::open(&server, &admin, window).await;
        client.request(&path, 3).await;
        client.wait_for(RESET, 3).await;
        metric(&server, &format!("{MEMORY} 0")).await;
        client.request("/v2/nothing", 1).await;
    }
    metric(&server, "gatewright_streams_timed_out_total{listener=\"clients\"}").await;
}

on_both_databases!(pipelined_requests_whose_responses_are_not_read_give_the_memory_back);
async fn pipelined_requests_whose_responses_are_not_read_give_the_memory_back(
    database: TestDatabase,
) {
    let server = start(&database, &["--write-timeout", "2"]);
    let admin = server.admin().await;
    let path = large_policy(&admin).await;
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}", admin.token);
    let requests = format!("{head}\r\n\r\n").repeat(50);
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let address = server.url.strip_prefix("http://").unwrap();
        let (mut stream, requests) = (TcpStream::connect(address).await.unwrap(), requests.clone());
        clients.spawn(async move { while stream.write_all(requests.as_bytes()).await.is_ok() {} });
    }
    filled(&server).await;
    assert!(admin.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:web-1").await);
    tokio::time::timeout(PATIENCE, clients.join_all()).await.expect("connections that end");
    metric(&server, &format!("{MEMORY} 0")).await;
    let _ = admin.get(&path).await.expect(200);
}
