//! Requests that real proxies, Gatewright and an API could read in different ways.
//!
//! The caller may read the order 7 and look into the till 1. Whatever is sent, the API hears only
//! that, read in one way, with the identity that was decided on, or nothing.

mod attempts;
mod misreading;
mod recording_api;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_testing::TestDatabase;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::forward_auth::{guarded, guarded_with};
use crate::http2;
use crate::proxies::Proxy;
use crate::server::Caller;
use attempts::{Attempt, Fate, attempts, request};
use misreading::misreading;
use recording_api::{Received, RecordingApi};
use table::FIELDS;

/// The requests of each list that must reach the API, through whichever proxy: most of the harmless
/// ones are no others than those without the header.
const LEAST: &[(&str, usize)] =
    &[("HEADERS", 40), ("TILLS", 1), ("DROPPED", 50), ("HIDDEN", 40), ("FRAMES", 15)];

/// The proxy, the API behind it, and the caller.
struct Setting {
    proxy: Proxy,
    api: RecordingApi,
    caller: Caller,
}

impl Setting {
    /// Takes what has reached the API; returns it, and what is wrong about it.
    fn take(&self) -> (Vec<Received>, Vec<String>) {
        let received = self.api.take();
        let wrong = |one: &Received| Some(format!("{}: {one:?}", misreading(one, &self.caller)?));
        let all_wrong = received.iter().filter_map(wrong).collect();
        (received, all_wrong)
    }

    async fn exchange(&self, bytes: &[u8], side: Side) -> String {
        exchange(self.proxy.port, "127.0.0.1", bytes, side).await
    }

    /// Makes an attempt; returns how many requests reached the API, and what is wrong about that.
    async fn attempt(&self, attempt: &Attempt) -> (usize, Vec<String>) {
        let side = match attempt.fate {
            Fate::Unfinished => Side::EndsWithoutAnswer,
            _ if is_one_request(&attempt.bytes) => Side::EndsAfterAnswer,
            _ => Side::StaysOpen,
        };
        let answer = self.exchange(&attempt.bytes, side).await;
        let (received, mut wrong) = self.take();
        let reached = received.len();
        let is_as_it_must = match attempt.fate {
            Fate::Passes => reached == 1,
            Fate::Refused => reached == 0 && !answer.contains("HTTP/1.1 2"),
            Fate::Harmless => reached <= 1,
            Fate::Unfinished => true,
        };
        if !is_as_it_must {
            wrong.push(format!(
                "{reached} reached the API, instead of {:?}: {answer}",
                attempt.fate
            ));
        }
        (reached, wrong)
    }

    /// Makes the request of another client; returns what is wrong about its answer.
    async fn other_client(&self, number: usize) -> Vec<String> {
        let target = format!("/orders/7?number={number}");
        let line = format!("GET {target} HTTP/1.1");
        let answer =
            self.exchange(&request(&line, &[], &self.caller.token), Side::EndsAfterAnswer).await;
        let (received, mut wrong) = self.take();
        // A request that its client has given up may still arrive.
        let reached = received.iter().filter(|one| one.target == target).count();
        if reached != 1 || !answer.starts_with("HTTP/1.1 200 ") || !answer.contains(&target) {
            wrong.push(format!("another client: {reached} reached the API: {answer}"));
        }
        wrong
    }
}

/// The end of the client's side of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Ends once the answer is whole: the bytes are one request.
    EndsAfterAnswer,
    /// Stays open for a while, since the proxy may find another request in the bytes.
    StaysOpen,
    /// A proxy that waits for more gets the end of it, and must then close its own, so that nothing of
    /// this request comes later.
    EndsWithoutAnswer,
}

/// Sends bytes from an address and reads until the proxy closes the connection, or has answered and
/// says nothing more.
async fn exchange(port: u16, from: &str, bytes: &[u8], side: Side) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    // A proxy may refuse and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut has_ended = false;
    let mut buffer = [0; 4096];
    loop {
        let has_head = answer.windows(4).any(|four| four == b"\r\n\r\n");
        if side == Side::EndsAfterAnswer && !has_ended && is_whole(&answer) {
            // Envoy waits a second for it before it closes.
            let _ = stream.shutdown().await;
            has_ended = true;
        }
        let is_brief = !has_ended && (has_head || side == Side::EndsWithoutAnswer);
        let patience = Duration::from_millis(if is_brief { 300 } else { 30_000 });
        match tokio::time::timeout(patience, stream.read(&mut buffer)).await {
            Ok(Ok(read @ 1..)) => answer.extend_from_slice(&buffer[..read]),
            Err(_) if side == Side::EndsWithoutAnswer && !has_ended => {
                let _ = stream.shutdown().await;
                has_ended = true;
            }
            Err(late) if !has_head || has_ended => {
                panic!("{} is not answered: {late}", String::from_utf8_lossy(bytes))
            }
            _ => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Checks whether nobody could find the end of a head before the last line.
fn is_one_request(bytes: &[u8]) -> bool {
    let before = bytes.strip_suffix(b"\r\n\r\n").unwrap_or(bytes);
    let is_line = |one: &[u8]| matches!(one, b"\n\n" | b"\r\r" | b"\n\r");
    !before.windows(2).any(is_line)
}

/// Checks whether an answer has the length that its head names.
fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length {
        Some(length) => length.trim().parse().is_ok_and(|length: usize| body.len() >= length),
        None => body.ends_with("0\r\n\r\n"),
    }
}

async fn nothing_evades(name: &str) {
    let database = TestDatabase::sqlite();
    let (server, caller) = guarded(&database).await;
    let admin = server.admin().await;
    admin.allow("till", &caller, "till:shop:get", "urn:v1:eu:resource:till:1").await;
    let api = RecordingApi::start().await;
    let proxy = Proxy::start(name, &server, api.port).await;
    let setting = Setting { proxy, api, caller };
    let attempts = attempts(&setting.caller.token);
    assert!(attempts.len() >= 600, "{}", attempts.len());
    let (mut passed, mut all_wrong) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (number, attempt) in attempts.iter().enumerate() {
        let (reached, mut wrong) = setting.attempt(attempt).await;
        *passed.entry(attempt.list).or_default() += reached;
        wrong.extend(setting.other_client(number).await);
        if !wrong.is_empty() {
            let text = String::from_utf8_lossy(&attempt.bytes).replace(&setting.caller.token, "…");
            all_wrong.push(format!("{}\n    {}", text.escape_debug(), wrong.join("\n    ")));
        }
    }
    if name.starts_with("envoy") {
        all_wrong.extend(over_http2(&setting).await);
    }
    assert!(
        all_wrong.is_empty(),
        "{} of {}:\n{}",
        all_wrong.len(),
        attempts.len(),
        all_wrong.join("\n")
    );
    // A proxy that refused everything would show nothing.
    for (list, least) in LEAST {
        assert!(passed.get(list).is_some_and(|reached| reached >= least), "{list}: {passed:?}");
    }
}

/// Tries what only HTTP/2 can say; returns what is wrong about it.
async fn over_http2(setting: &Setting) -> Vec<String> {
    let bearer = format!("Bearer {}", setting.caller.token);
    let usual = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "shop"),
        (":path", "/orders/7"),
        ("authorization", &bearer),
    ];
    http2::send(setting.proxy.port, &usual).await;
    let (received, wrong) = setting.take();
    assert_eq!((received.len(), wrong), (1, Vec::new()));
    let mut all_wrong = Vec::new();
    for (number, fields) in FIELDS.iter().enumerate() {
        let replaced = |name| fields.iter().find(|(other, _)| *other == name).copied();
        let mut all: Vec<_> = usual.iter().map(|one| replaced(one.0).unwrap_or(*one)).collect();
        for (name, value) in *fields {
            if let Some(name) = name.strip_prefix('+') {
                all.push((name, value));
            }
        }
        http2::send(setting.proxy.port, &all).await;
        let (_, mut wrong) = setting.take();
        wrong.extend(setting.other_client(number).await);
        all_wrong.extend(wrong.into_iter().map(|wrong| format!("{fields:?}\n    {wrong}")));
    }
    all_wrong
}

async fn the_address_is_the_proxys_word(name: &str) {
    let database = TestDatabase::sqlite();
    let (server, caller) = guarded_with(&database, &["--trusted-proxies", "127.0.0.1/32"]).await;
    let admin = server.admin().await;
    let policy = json!({
        "name": "eight-from-home",
        "identities": [caller.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:order:8"}],
        "permissions": {"allow": [{"action": "order:shop:get"}]},
        "conditions": {"operator": "MATCH", "values": {"request.IP.IN_RANGE": "127.0.0.8/32"}},
    });
    admin.post("/v2/iam/policy", &policy).await.expect(200);
    let api = RecordingApi::start().await;
    let proxy = Proxy::start(name, &server, api.port).await;
    for headers in [
        &["X-Forwarded-For: 127.0.0.8"][..],
        &["X-Forwarded-For: 127.0.0.8, 127.0.0.8"],
        &["X-Forwarded-For: 127.0.0.8", "X-Forwarded-For: 127.0.0.8"],
        &["X-Forwarded-For: 127.0.0.8", "Connection: X-Forwarded-For"],
        &["X-Real-IP: 127.0.0.8"],
        &["Forwarded: for=127.0.0.8"],
        &["X-Envoy-External-Address: 127.0.0.8"],
        &[],
    ] {
        let bytes = request("GET /orders/8 HTTP/1.1", headers, &caller.token);
        for (from, reaches) in [("127.0.0.9", 0), ("127.0.0.8", 1)] {
            let answer = exchange(proxy.port, from, &bytes, Side::EndsAfterAnswer).await;
            // The proxy may drop its own header as well.
            let is_hidden = headers.iter().any(|header| header.starts_with("Connection"));
            let reached = api.take().len();
            assert!(reached <= reaches, "{from} {headers:?} {answer}");
            assert!(reached == reaches || is_hidden, "{from} {headers:?} {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_evades_nginx() {
    nothing_evades("nginx").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_evades_caddy() {
    nothing_evades("caddy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_evades_envoy() {
    nothing_evades("envoy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_evades_envoy_that_asks_over_http() {
    nothing_evades("envoy-http").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_says_where_a_request_comes_from() {
    the_address_is_the_proxys_word("nginx").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_says_where_a_request_comes_from() {
    the_address_is_the_proxys_word("caddy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_says_where_a_request_comes_from() {
    the_address_is_the_proxys_word("envoy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_that_asks_over_http_says_where_a_request_comes_from() {
    the_address_is_the_proxys_word("envoy-http").await;
}
