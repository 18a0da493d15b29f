//! Tokens and checks per second over HTTP, beside bare servers of the same framework: one that
//! answers a constant, one that only signs a token, and forward auth beside one that lets everything
//! pass, asked over HTTP, by an nginx and as Envoy asks, and the decision point in process. Also: how
//! soon a server with a large database answers, how much memory the trial server takes, and how long
//! the Control Panel's pages take.
//!
//! `http PROGRAM [LOAD [CONNECTIONS]]`, with the path of the release binary and, to measure it alone,
//! one of checks, tokens, passages, nginx, envoy and inside, and over how many connections.

mod envoy;
mod inside;
mod nginx;

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum_server::accept::NoDelayAcceptor;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use gatewright_benchmarks::{ACCOUNT, TYPES, VERBS, action, policy, rules};
use gatewright_store::{Act, Author, Change, Content, Kind, Store};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CALLERS: usize = 1_000;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 7;

const JSON: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

type Anyhow<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Anyhow<()> {
    let argument = std::env::args().nth(1).ok_or("usage: http PROGRAM")?;
    if argument == "bare" {
        return bare().await;
    }
    let program = Path::new(&argument);
    if let Some(load) = std::env::args().nth(2) {
        return large(program, 10_000, Some(&load)).await;
    }
    resident(program)?;
    for count in [10_000, 100_000] {
        large(program, count, None).await?;
    }
    Ok(())
}

/// The servers to compare with.
async fn bare() -> Anyhow<()> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| "no key")?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())
        .map_err(|_| "no key")?;
    let key = Arc::new(key);
    let constant = move |_: Bytes| async move {
        (JSON, r#"{"authorizedActions":["vps:apiovh:get"],"unauthorizedActions":[]}"#)
    };
    let sign = move |_: Bytes| async move { (JSON, signed(&key)) };
    let app = Router::new()
        .route("/constant", post(constant))
        .route("/token", post(sign))
        .route("/allowed", get(|| async {}));
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let grpc = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{} {}", listener.local_addr()?, grpc.local_addr()?);
    tokio::spawn(envoy::bare(grpc));
    let server = axum_server::from_tcp(listener)?.acceptor(NoDelayAcceptor::new());
    Ok(server.serve(app.into_make_service()).await?)
}

fn signed(key: &EcdsaKeyPair) -> String {
    let header = r#"{"typ":"at+jwt","alg":"ES256","kid":"0123456789abcdef"}"#;
    let claims = json!({
        "iss": "http://127.0.0.1:8080", "aud": "http://127.0.0.1:8080", "exp": 1_795_461_221,
        "iat": 1_795_457_621, "jti": "b6708e91b472db6ce031b07d73a2209e", "scope": "all",
        "sub": "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.54478dd15cff59e3",
        "client_id": "EU.54478dd15cff59e3",
    });
    let mut token = BASE64_URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
    let signature = key.sign(&SystemRandom::new(), token.as_bytes()).expect("a signature");
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3599, "scope": "all"})
        .to_string()
}

/// A program that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How much memory the trial server takes once it has answered.
fn resident(program: &Path) -> Anyhow<()> {
    let folder = tempfile::tempdir()?;
    let mut child = Command::new(program)
        .args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let running = Running(child);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.0.id()))?;
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    println!("trial server: {resident}");
    Ok(())
}

fn secret(number: usize) -> String {
    format!("gws_secret-{number}")
}

fn client_id(number: usize) -> String {
    format!("EU.{number:016x}")
}

/// Fills a database with service accounts and policies.
async fn fill(database: &str, count: usize) -> Anyhow<()> {
    let store = Store::open(&database.parse()?).await?;
    let author = Author {
        actor: "benchmark".into(),
        ip: None,
        query_id: "0".into(),
        at: 1_700_000_000_000_000,
    };
    let clients = (0..count).map(|number| {
        let document = json!({
            "name": "benchmark", "description": "benchmark", "flow": "CLIENT_CREDENTIALS",
            "callbackUrls": [], "createdAt": author.at,
        });
        let hash = digest(&SHA256, secret(number).as_bytes()).as_ref().to_vec();
        let content = Content { document: document.to_string(), ..Content::default() };
        let act = Act::Create { content, secret: Some(hash) };
        Change { kind: Kind::Client, id: client_id(number), act }
    });
    let policies = rules(count).into_iter().map(|rule| {
        let name = format!("p-{}", rule.id);
        let document = json!({
            "name": name, "description": null, "readOnly": false, "expiredAt": null,
            "createdAt": author.at, "updatedAt": null, "rule": policy(&rule),
        });
        let content =
            Content { name: Some(name), document: document.to_string(), mentions: Vec::new() };
        let act = Act::Create { content, secret: None };
        Change { kind: Kind::Policy, id: rule.id.to_string(), act }
    });
    let changes: Vec<Change> = clients.chain(policies).collect();
    for chunk in changes.chunks(5_000) {
        store.write(ACCOUNT, &author, chunk).await?;
    }
    store.close().await;
    Ok(())
}

async fn large(program: &Path, count: usize, only: Option<&str>) -> Anyhow<()> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite:{}", folder.path().join("db").display());
    let key = folder.path().join("key").display().to_string();
    let run = |arguments: &[&str]| {
        let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
        if status.success() {
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        } else {
            Err("failed".into())
        }
    };
    run(&["key", "create", "--file", &key])?;
    let products = folder.path().join("products");
    std::fs::create_dir(&products)?;
    std::fs::write(products.join("benchmark.json"), guarded().to_string())?;
    let products = products.display().to_string();
    let settings = ["--database", &database, "--master-key", &key, "--products", &products];
    let new = ["account", "create", "--json", "--service-account", "--name", ACCOUNT];
    let new = [&new[..], &["--email", "a@b.example"]].concat();
    let made = Command::new(program).args(&new).args(settings).output()?;
    let made: Value = serde_json::from_slice(&made.stdout)?;
    let password = made["password"].as_str().ok_or("no password")?;
    fill(&database, count).await?;

    let started = Instant::now();
    let free = std::net::TcpListener::bind("127.0.0.1:0")?;
    let grpc = free.local_addr()?;
    drop(free);
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"])
        .args(["--ext-authz-listen", &grpc.to_string()])
        .args(settings)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut log = BufReader::new(child.stderr.take().ok_or("no log")?).lines();
    let server = Running(child);
    let ready: Value = serde_json::from_str(&log.next().ok_or("no line")??)?;
    let address: SocketAddr = ready["address"].as_str().ok_or("no address")?.parse()?;
    let ready = started.elapsed();
    std::thread::spawn(move || for _ in log.by_ref() {});

    let token_request = |number: usize| {
        let basic = BASE64_STANDARD.encode(format!("{}:{}", client_id(number), secret(number)));
        let body = "grant_type=client_credentials&scope=all";
        request(
            "/auth/oauth2/token",
            &format!(
                "Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded"
            ),
            body,
        )
    };
    let mut stream = TcpStream::connect(address).await?;
    let first = exchange(&mut stream, &token_request(0)).await?;
    let first_token = started.elapsed();
    if !first.contains("access_token") {
        return Err(first.into());
    }
    println!(
        "{count} service accounts and policies: ready after {ready:?}, first token after {first_token:?}"
    );

    if count == 10_000 && only.is_none() {
        pages(&mut stream, password).await?;
    }

    let mut checks = Vec::with_capacity(CALLERS);
    let mut tokens = Vec::with_capacity(CALLERS);
    let step = count / CALLERS;
    for number in (0..CALLERS).map(|caller| caller * step) {
        tokens.push(token_request(number));
        let answer = exchange(&mut stream, &token_request(number)).await?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
        let answer: Value = serde_json::from_str(body)?;
        let token = answer["access_token"].as_str().ok_or("no token")?;
        checks.push(request(
            "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
            &format!("Authorization: Bearer {token}"),
            r#"{"actions":["vps:apiovh:reboot"]}"#,
        ));
    }
    let itself = std::env::current_exe()?;
    let mut child = Command::new(itself).arg("bare").stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let (bare, bare_grpc) = line.trim().split_once(' ').ok_or("no addresses")?;
    let (bare, bare_grpc): (SocketAddr, SocketAddr) = (bare.parse()?, bare_grpc.parse()?);
    let bare_server = Running(child);
    let readdressed = |requests: &[String], path: &str| -> Vec<String> {
        let all = requests.iter().map(|request| {
            let (_, rest) = request.split_once(" HTTP/1.1").unwrap_or_default();
            format!("POST {path} HTTP/1.1{rest}")
        });
        all.collect()
    };
    let bare_checks = readdressed(&checks, "/constant");
    let bare_tokens = readdressed(&tokens, "/token");
    let mut passages = Vec::with_capacity(CALLERS);
    let mut questions = Vec::with_capacity(CALLERS);
    let mut guarded_requests = Vec::with_capacity(CALLERS);
    let rules = rules(count);
    let denied: std::collections::HashSet<usize> =
        rules.iter().filter(|rule| rule.deny).map(|rule| rule.identity).collect();
    let mut asked = std::collections::HashSet::new();
    let granted = rules.iter().filter(|rule| !denied.contains(&rule.identity));
    for rule in granted.filter(|rule| asked.insert(rule.identity)).take(CALLERS) {
        let answer = exchange(&mut stream, &token_request(rule.identity)).await?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
        let answer: Value = serde_json::from_str(body)?;
        let token = answer["access_token"].as_str().ok_or("no token")?;
        let (verb, resource) = (rule.verbs[0], rule.resource.unwrap_or(7));
        questions.push(envoy::request(token, format!("/{}/{verb}/r{resource}", rule.kind)));
        guarded_requests.push(format!(
            "GET /{}/{verb}/r{resource} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            rule.kind
        ));
        passages.push(format!(
            "GET /forward-auth/nginx/benchmark HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nX-Original-Method: GET\r\n\
             X-Original-URI: /{}/{verb}/r{resource}\r\n\r\n",
            rule.kind
        ));
    }
    let bare_passages: Vec<String> = passages
        .iter()
        .map(|one| one.replacen("/forward-auth/nginx/benchmark", "/allowed", 1))
        .collect();
    for (what, ours, theirs) in [
        ("checks", &checks, &bare_checks),
        ("tokens", &tokens, &bare_tokens),
        ("passages", &passages, &bare_passages),
    ] {
        if only.is_some_and(|only| only != what) {
            continue;
        }
        let mut turns = Turns::default();
        for _ in 0..ROUNDS {
            turns.add(load(address, ours).await?, load(bare, theirs).await?);
        }
        println!("  {what}: {turns}");
    }
    if only.is_none_or(|only| only == "nginx") {
        let mine = nginx::Guarded::start(address, "/forward-auth/nginx/benchmark").await?;
        let others = nginx::Guarded::start(bare, "/allowed").await?;
        let mut turns = Turns::default();
        for _ in 0..ROUNDS {
            let guarded = load(mine.address, &guarded_requests).await?;
            turns.add(guarded, load(others.address, &guarded_requests).await?);
        }
        println!("  nginx: {turns}");
    }
    if only.is_none_or(|only| only == "envoy") {
        let mut turns = Turns::default();
        for _ in 0..ROUNDS {
            turns.add(
                envoy::load(grpc, &questions).await?,
                envoy::load(bare_grpc, &questions).await?,
            );
        }
        println!("  envoy: {turns}");
    }
    if only.is_none_or(|only| only == "inside") {
        let owner = made["clientId"].as_str().ok_or("no client")?;
        let secret = made["clientSecret"].as_str().ok_or("no client")?;
        let callers: Vec<String> = (0..CALLERS).map(|caller| client_id(caller * step)).collect();
        let owner = (owner.to_owned(), secret.to_owned());
        let (inside, check) = inside::compare(address, owner, &callers, &checks).await?;
        println!("  in process: {:.2} µs each, a check over HTTP {check:.0} µs", 1e6 / inside);
    }
    drop((server, bare_server));
    Ok(())
}

/// An API whose operations need the actions of the policies, one each.
fn guarded() -> Value {
    let mut paths = serde_json::Map::new();
    for kind in TYPES {
        for verb in VERBS {
            let operation = json!({
                "x-iam-resource": {"type": kind, "in": "path", "name": "id"},
                "x-iam-actions": [{"name": action(kind, verb)}],
            });
            paths.insert(format!("/{kind}/{verb}/{{id}}"), json!({ "get": operation }));
        }
    }
    json!({"openapi": "3.0.3", "x-iam-account": ACCOUNT, "paths": paths})
}

/// The Control Panel's pages with the most on them.
async fn pages(stream: &mut TcpStream, password: &str) -> Anyhow<()> {
    let cookie = |answer: &str| {
        let cookies = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let pairs = cookies.filter_map(|cookie| cookie.split_once(';')).map(|(pair, _)| pair);
        pairs.collect::<Vec<_>>().join("; ")
    };
    let get = |path: &str, cookies: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n")
    };
    let asked = exchange(stream, &get("/sign-in", "")).await?;
    let form = cookie(&asked);
    let (_, proof) = asked.split_once("name=\"form\" value=\"").ok_or("no form")?;
    let (proof, _) = proof.split_once('"').ok_or("no form")?;
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let body = format!("form={proof}&login={ACCOUNT}&password={password}");
    let signed_in = request("/sign-in", &format!("{kind}\r\nCookie: {form}"), &body);
    let cookies = format!("{form}; {}", cookie(&exchange(stream, &signed_in).await?));
    for path in [
        "/",
        "/service-accounts",
        "/service-accounts?search=benchmark&sort=-created&page=200",
        "/service-accounts/EU.0000000000000007",
        "/policies",
        "/policies?search=p-00&sort=-name",
        "/policies/create",
    ] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            exchange(stream, &get(path, &cookies)).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        println!("  {path}: {:.0} ms", median(times));
    }
    Ok(())
}

/// Requests per second to Gatewright, and right after to a bare server: so that what else the machine
/// does counts for both.
#[derive(Default)]
struct Turns(Vec<(f64, f64)>);

impl Turns {
    fn add(&mut self, mine: f64, bare: f64) {
        self.0.push((mine, bare));
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let middle = |of: fn(&(f64, f64)) -> f64| median(self.0.iter().map(of).collect());
        let (mine, bare) = (middle(|turn| turn.0), middle(|turn| turn.1));
        let share = middle(|(mine, bare)| 100.0 * mine / bare);
        write!(f, "{mine:.0}/s, bare server {bare:.0}/s: {share:.0} %, of {} turns", self.0.len())
    }
}

/// Over how many connections a load comes.
fn connections() -> usize {
    std::env::args().nth(3).and_then(|text| text.parse().ok()).unwrap_or(32)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn request(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request and reads its whole answer, with as little work as that takes: what the load costs
/// is not what is measured.
async fn exchange(stream: &mut TcpStream, request: &str) -> Anyhow<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(end) = memmem::find(&answer, b"\r\n\r\n") else { continue };
        let head = &answer[..end];
        let length = memmem::find(head, b"content-length: ")
            .or_else(|| memmem::find(head, b"Content-Length: "))
            .ok_or("no length")?;
        let digits = head[length + 16..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |sum, byte| 10 * sum + usize::from(byte - b'0'));
        if answer.len() >= end + 4 + length {
            if !head.starts_with(b"HTTP/1.1 200") && !head.starts_with(b"HTTP/1.1 303") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
            return Ok(String::from_utf8(answer)?);
        }
    }
}

/// Requests per second over connections that are kept.
async fn load(address: SocketAddr, requests: &[String]) -> Anyhow<f64> {
    let done = Arc::new(AtomicU64::new(0));
    let requests: Arc<[String]> = requests.into();
    let started = Instant::now();
    let connections = (0..connections()).map(|connection| {
        let (done, requests) = (Arc::clone(&done), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut next = connection * 31;
            while started.elapsed() < ROUND {
                exchange(&mut stream, &requests[next % requests.len()]).await?;
                next += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
