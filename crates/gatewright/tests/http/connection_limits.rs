//! Clients that let the server wait, or that open too many connections, leave room for the others.

use std::time::{Duration, Instant};

use gatewright_testing::{TestDatabase, on_both_databases};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::programs::free_port;
use crate::server::{Reply, Server, http};

/// The limits of time that the tests set, far below the time that they wait.
const SHORT: &[&str] = &[
    "--header-timeout",
    "1",
    "--body-timeout",
    "3",
    "--idle-timeout",
    "2",
    "--write-timeout",
    "1",
];

/// The longest time that a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A connection without a client library.
struct Raw(TcpStream);

impl Raw {
    async fn connect(url: &str) -> Self {
        Self(TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap())
    }

    /// Connects from another address of this machine.
    async fn connect_from(address: &str, url: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        let to = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self(socket.connect(to).await.unwrap())
    }

    /// Sends a request, and returns the beginning of the response.
    async fn get(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        // A refused connection may be closed already; its answer is read.
        let _ = self.0.write_all(request.as_bytes()).await;
        let mut said = vec![0; 1_000];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut said)).await;
        said.truncate(read.expect("an answer").unwrap_or(0));
        String::from_utf8(said).unwrap()
    }

    /// Connects, and sends the beginning of something.
    async fn begin(url: &str, text: &str) -> Self {
        let mut raw = Self::connect(url).await;
        raw.0.write_all(text.as_bytes()).await.unwrap();
        raw
    }

    /// Reads until the server closes the connection.
    async fn read_to_end(mut self) -> String {
        let mut said = Vec::new();
        let end = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut said)).await;
        assert!(end.is_ok(), "it stays open after {}", String::from_utf8_lossy(&said));
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// Waits until a line of the metrics has this beginning.
pub(crate) async fn metric(server: &Server, wanted: &str) {
    let begun = Instant::now();
    loop {
        let response = http().get(format!("{}/metrics", server.operations)).send().await.unwrap();
        let text = response.text().await.unwrap();
        let is_wanted = |line: &str| line == wanted || line.starts_with(&format!("{wanted} "));
        if text.lines().any(is_wanted) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{wanted} is not in\n{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Starts a server with short limits and all its listeners; returns their URLs.
fn start(database: &TestDatabase) -> (Server, [String; 3]) {
    let grpc = format!("127.0.0.1:{}", free_port());
    let server =
        Server::start_with(database, &[SHORT, &["--ext-authz-listen", &grpc][..]].concat());
    let urls = [server.url.clone(), server.operations.clone(), format!("http://{grpc}")];
    (server, urls)
}

on_both_databases!(half_a_head_and_silence_end_a_connection_on_every_listener);
async fn half_a_head_and_silence_end_a_connection_on_every_listener(database: TestDatabase) {
    let (server, urls) = start(&database);
    for (url, listener) in urls.iter().zip(["clients", "operations", "ext-authz"]) {
        let answered = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
        // HTTP/2 without a request: its preface, and an empty frame of settings.
        let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
        for begun in ["", "GET / HTTP/1.1\r\nHo", http2, answered, &format!("{answered}GET")] {
            Raw::begin(url, begun).await.read_to_end().await;
        }
        for phase in ["head", "idle"] {
            let labels = format!("listener=\"{listener}\",phase=\"{phase}\"");
            metric(&server, &format!("gatewright_connections_timed_out_total{{{labels}}}")).await;
        }
    }
}

on_both_databases!(a_body_that_does_not_arrive_is_given_up_wherever_it_is_read);
async fn a_body_that_does_not_arrive_is_given_up_wherever_it_is_read(database: TestDatabase) {
    let (server, _) = start(&database);
    let admin = server.admin().await;
    let token = format!("Authorization: Bearer {}\r\n", admin.token);
    for (path, headers) in [
        ("/auth/oauth2/token", ""),
        ("/v2/iam/policy", &*token),
        ("/v2/iam/authorization/check", &token),
        ("/access/v1/evaluation", &token),
        ("/sign-in", "Cookie: gatewright-form=x\r\n"),
        ("/users/create", "Sec-Fetch-Site: same-origin\r\n"),
    ] {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: 100\r\n\r\n");
        let silent = Raw::begin(&server.url, &head).await.read_to_end();
        // A byte now and then does not help.
        let mut trickling = Raw::begin(&server.url, &head).await;
        let (mut reader, mut writer) = trickling.0.split();
        let trickle = async {
            while writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let mut first = [0; 12];
        let answer = async {
            tokio::select! {
                read = reader.read_exact(&mut first) => read.unwrap(),
                () = trickle => panic!("{path} is closed without an answer"),
            }
        };
        let (silent, _) = tokio::join!(silent, answer);
        assert!(silent.starts_with("HTTP/1.1 408 "), "{path}: {silent}");
        assert_eq!(&first, b"HTTP/1.1 408", "{path}");
    }
}

on_both_databases!(a_reader_that_never_reads_is_let_go);
async fn a_reader_that_never_reads_is_let_go(database: TestDatabase) {
    let (server, _) = start(&database);
    let request = "GET /openapi/v2.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(64);
    let mut raw = Raw::connect(&server.url).await;
    // The responses fill all buffers, so the last requests are not read either.
    let write = async { while raw.0.write_all(request.as_bytes()).await.is_ok() {} };
    let ended = tokio::time::timeout(PATIENCE, write).await;
    assert!(ended.is_ok(), "the connection stays open");
    let labels = "listener=\"clients\",phase=\"write\"";
    metric(&server, &format!("gatewright_connections_timed_out_total{{{labels}}} 1")).await;
}

/// Opens connections until one is refused; returns the others, and the refusal.
async fn fill(url: &str) -> (Vec<Raw>, String) {
    let mut open = Vec::new();
    loop {
        let mut raw = Raw::connect(url).await;
        let said = raw.get("/auth/oauth2/jwks").await;
        if !said.starts_with("HTTP/1.1 200 ") {
            return (open, said);
        }
        assert!(open.len() < 1_000, "no connection is refused");
        open.push(raw);
    }
}

/// Waits until a new connection is served again.
async fn served(url: &str) {
    let begun = Instant::now();
    while !Raw::connect(url).await.get("/auth/oauth2/jwks").await.starts_with("HTTP/1.1 200 ") {
        assert!(begun.elapsed() < PATIENCE, "new connections are still refused");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both_databases!(one_address_cannot_take_all_connections);
async fn one_address_cannot_take_all_connections(database: TestDatabase) {
    let server = Server::start_with(&database, &["--max-connections-per-address", "5"]);
    let (open, refused) = fill(&server.url).await;
    assert_eq!(open.len(), 5);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(
        refused.contains("Retry-After: ") && refused.contains("Connection: close"),
        "{refused}"
    );
    let mut other = Raw::connect_from("127.0.0.2", &server.url).await;
    assert!(other.get("/auth/oauth2/jwks").await.starts_with("HTTP/1.1 200 "));
    let labels = "listener=\"clients\",reason=\"address\"";
    metric(&server, &format!("gatewright_connections_refused_total{{{labels}}} 1")).await;
    metric(&server, "gatewright_connections_open{listener=\"clients\"} 6").await;
    drop(open);
    served(&server.url).await;
}

on_both_databases!(a_trusted_proxy_may_take_all_connections_but_not_those_of_operators);
async fn a_trusted_proxy_may_take_all_connections_but_not_those_of_operators(
    database: TestDatabase,
) {
    let flags = ["--max-connections", "8", "--max-connections-per-address", "1"];
    let flags = [&flags[..], &["--trusted-proxies", "127.0.0.1/32"]].concat();
    let server = Server::start_with(&database, &flags);
    let (open, refused) = fill(&server.url).await;
    assert_eq!(open.len(), 8);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let labels = "listener=\"clients\",reason=\"total\"";
    metric(&server, &format!("gatewright_connections_refused_total{{{labels}}} 1")).await;
    let ready = http().get(format!("{}/readyz", server.operations)).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    drop(open);
    served(&server.url).await;
}

#[cfg(unix)]
on_both_databases!(the_server_serves_as_many_connections_as_it_has_descriptors_for);
#[cfg(unix)]
async fn the_server_serves_as_many_connections_as_it_has_descriptors_for(database: TestDatabase) {
    let trusted = ["--trusted-proxies", "127.0.0.1/32"];
    // 192 descriptors are kept for the database and for operators.
    let server = Server::start_under(&database, "ulimit -n 300", &trusted);
    let (open, refused) = fill(&server.url).await;
    assert_eq!(open.len(), 108);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let ready = http().get(format!("{}/readyz", server.operations)).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    drop(open);
    served(&server.url).await;
}

#[cfg(unix)]
on_both_databases!(the_limit_of_descriptors_is_raised_at_start);
#[cfg(unix)]
async fn the_limit_of_descriptors_is_raised_at_start(database: TestDatabase) {
    let flags = ["--max-connections-per-address", "300"];
    let server = Server::start_under(&database, "ulimit -S -n 200", &flags);
    let (open, _) = fill(&server.url).await;
    assert_eq!(open.len(), 300);
}

on_both_databases!(what_is_known_to_be_refused_is_not_read);
async fn what_is_known_to_be_refused_is_not_read(database: TestDatabase) {
    let server = Server::start(&database);
    let form = "Cookie: gatewright-form=x\r\n";
    let kept = "Cookie: gatewright-form=x\r\nSec-Fetch-Site: same-origin\r\n";
    let other = "Cookie: gatewright-form=x\r\nSec-Fetch-Site: cross-site\r\n";
    // Nothing of the body is sent.
    for (path, headers, length, status) in [
        ("/v2/iam/policy", "", 100, 401),
        ("/v2/iam/policy", "Authorization: Bearer x\r\n", 100, 401),
        ("/auth/oauth2/token", "", 70_000, 413),
        ("/auth/oauth2/introspect", "", 70_000, 413),
        ("/users/create", "", 100, 403),
        ("/users/create", other, 100, 403),
        ("/users/create", kept, 70_000, 413),
        ("/sign-in", "", 100, 403),
        ("/sign-in", "Sec-Fetch-Site: same-origin\r\n", 100, 403),
        ("/sign-in", form, 140_000, 413),
    ] {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {length}\r\n\r\n");
        let said = Raw::begin(&server.url, &head).await.read_to_end().await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {headers}: {said}");
    }
    // A length that is not announced is counted.
    for (path, headers) in [("/auth/oauth2/token", ""), ("/users/create", kept)] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
        );
        let chunk = format!("11170\r\n{}\r\n", "x".repeat(70_000));
        let said = Raw::begin(&server.url, &format!("{head}{chunk}")).await.read_to_end().await;
        assert!(said.starts_with("HTTP/1.1 413 "), "{path}: {said}");
    }
}

/// Reads one response; returns its status and its head in lower case.
async fn response(raw: &mut Raw) -> (u16, String) {
    let mut read = Vec::new();
    let reading = async {
        loop {
            let mut byte = [0];
            // An end before the end of the head is a reset without a word.
            raw.0.read_exact(&mut byte).await.expect("a response");
            read.push(byte[0]);
            if read.ends_with(b"\r\n\r\n") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("a response");
    let head = String::from_utf8(read).unwrap().to_lowercase();
    let length =
        head.split("content-length: ").nth(1).map(|rest| rest.split("\r\n").next().unwrap());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    raw.0.read_exact(&mut body).await.expect("the body of the response");
    (head[9..12].parse().unwrap(), head)
}

/// Connects from an address, and sends a request without the last byte of its body.
async fn unfinished(from: &str, server: &Server, path: &str, (token, size): (&str, usize)) -> Raw {
    let mut raw = Raw::connect_from(from, &server.url).await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{token}Content-Length: {size}\r\n\r\n");
    raw.0.write_all(head.as_bytes()).await.unwrap();
    raw.0.write_all(" ".repeat(size - 1).as_bytes()).await.unwrap();
    raw
}

on_both_databases!(bodies_of_strangers_cannot_take_the_memory_of_others);
async fn bodies_of_strangers_cannot_take_the_memory_of_others(database: TestDatabase) {
    // Strangers have one of the four MiB, and each network an eighth of it.
    let server = Server::start_with(&database, &["--max-body-memory", "4"]);
    let admin = server.admin().await;
    let mut open = Vec::new();
    for network in 1..=20 {
        let from = format!("127.0.1.{network}");
        for _ in 0..3 {
            let stranger = ("", 60_000);
            open.push(unfinished(&from, &server, "/auth/oauth2/token", stranger).await);
        }
    }
    metric(&server, "gatewright_request_bodies_refused_total{reason=\"memory\"}").await;
    let policy = format!("{{\"name\":\"p\"{}}}", " ".repeat(20_000));
    let request = admin.request(reqwest::Method::POST, "/v2/iam/policy").body(policy);
    assert_eq!(Reply::of(request).await.status, 400, "it is read, and lacks fields");
    assert_eq!(server.token(&server.client_id, &server.client_secret, "all").await.status, 200);
}

on_both_databases!(one_network_cannot_take_all_memory_for_bodies);
async fn one_network_cannot_take_all_memory_for_bodies(database: TestDatabase) {
    // Authenticated callers have eight of the 16 MiB, and each network two.
    let server = Server::start_with(&database, &["--max-body-memory", "16"]);
    let token = format!("Authorization: Bearer {}\r\n", server.admin().await.token);
    let large = (&*token, 1_500_000);
    let mut first = unfinished("127.0.1.1", &server, "/v2/iam/policy", large).await;
    let mut second = unfinished("127.0.1.1", &server, "/v2/iam/policy", large).await;
    let (status, head) = tokio::select! {
        answer = response(&mut first) => answer,
        answer = response(&mut second) => answer,
    };
    assert_eq!(status, 503, "{head}");
    assert!(head.contains("\r\nretry-after: 1\r\n"), "{head}");
    let mut other = unfinished("127.0.1.2", &server, "/v2/iam/policy", large).await;
    other.0.write_all(b" ").await.unwrap();
    assert_eq!(response(&mut other).await.0, 400);
}

on_both_databases!(a_refusal_before_the_body_leaves_the_connection_usable_or_says_that_it_ends);
async fn a_refusal_before_the_body_leaves_the_connection_usable_or_says_that_it_ends(
    database: TestDatabase,
) {
    let server = Server::start(&database);
    let refusals = [
        ("POST /v2/iam/policy", 401),
        ("POST /v2/nothing", 404),
        ("PUT /v2/iam/policy", 405),
        ("POST /policies", 405),
        ("POST /users/create", 403),
        ("POST /forward-auth/nginx/shop", 405),
        ("POST /auth/oauth2/token", 413),
    ];
    let next = "GET /auth/oauth2/jwks HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut endings = [0, 0];
    for turn in 0..200 {
        let (target, expected) = refusals[turn % refusals.len()];
        let size =
            if expected == 413 { 300_000 } else { [10, 3_000, 60_000, 300_000][turn / 7 % 4] };
        let head = format!("{target} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
        let mut raw = Raw::connect(&server.url).await;
        let body = "x".repeat(size);
        if turn % 2 == 0 {
            raw.0.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        } else {
            raw.0.write_all(head.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            raw.0.write_all(body.as_bytes()).await.unwrap();
        }
        let (status, head) = response(&mut raw).await;
        assert_eq!(status, expected, "{target}");
        let is_last = head.contains("\r\nconnection: close\r\n");
        endings[usize::from(is_last)] += 1;
        if is_last {
            assert_eq!(
                raw.read_to_end().await,
                "",
                "{target}: something follows the last response"
            );
        } else {
            raw.0.write_all(next.as_bytes()).await.unwrap();
            assert_eq!(response(&mut raw).await.0, 200, "{target} with {size} bytes");
        }
    }
    assert!(endings.iter().all(|count| *count > 0), "{endings:?}");
}

on_both_databases!(a_body_that_is_refused_before_it_was_asked_for_ends_the_connection);
async fn a_body_that_is_refused_before_it_was_asked_for_ends_the_connection(
    database: TestDatabase,
) {
    let server = Server::start(&database);
    let head = "POST /v2/iam/policy HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                Content-Length: 10\r\n\r\n";
    let said = Raw::begin(&server.url, head).await.read_to_end().await.to_lowercase();
    assert!(said.starts_with("http/1.1 401 ") && said.contains("connection: close"), "{said}");
    for malformed in ["GET / HTTP/9\r\n\r\n", "\u{1}\r\n\r\n"] {
        let said = Raw::begin(&server.url, malformed).await.read_to_end().await.to_lowercase();
        assert!(said.starts_with("http/1.1 400 ") && said.contains("connection: close"), "{said}");
    }
    let large = "x".repeat(70_000);
    for head in [
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {large}\r\n\r\n"),
        format!("GET /{large} HTTP/1.1\r\nHost: a\r\n\r\n"),
    ] {
        let said = Raw::begin(&server.url, &head).await.read_to_end().await.to_lowercase();
        assert!(said.starts_with("http/1.1 431 ") && said.contains("connection: close"), "{said}");
    }
}
