//! Attacks a server, and checks that honest clients are still served.
//!
//! `attacks PROGRAM` prints one JSON object of measurements, and fails if an honest request fails
//! or takes too long. Everything stays on this machine and is bounded in number and time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatewright_benchmarks::client::{Anyhow, answer, exchange, request, token_request};
use gatewright_benchmarks::dev_server::DevServer;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const TIME: Duration = Duration::from_secs(20);
const SLOW: usize = 1_000;
const GUESSERS: usize = 16;
/// The maximum latency of an honest request, on a machine shared with the attackers.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Anyhow<()> {
    let program = std::env::args().nth(1).ok_or("usage: attacks PROGRAM")?;
    let server = Arc::new(DevServer::start(Path::new(&program))?);
    let mut figures = Map::new();
    honest(&server, "nobody attacks", &mut figures).await?;

    let mut attack = JoinSet::new();
    for _ in 0..SLOW {
        attack.spawn(slow(Arc::clone(&server)));
    }
    honest(&server, "1,000 connections send a header a byte a second", &mut figures).await?;
    stop(&mut attack).await?;

    for _ in 0..GUESSERS {
        attack.spawn(guess(Arc::clone(&server)));
    }
    honest(&server, "16 connections guess secrets", &mut figures).await?;
    stop(&mut attack).await?;

    for number in 0..GUESSERS {
        attack.spawn(send_nonsense(Arc::clone(&server), number));
    }
    honest(&server, "16 connections send nonsense", &mut figures).await?;
    stop(&mut attack).await?;

    figures.insert("memory at the end".into(), format!("{} kB", server.memory()?).into());
    println!("{}", Value::Object(figures));
    Ok(())
}

/// Ends an attack, and fails if a part of it has ended by itself: that part succeeded.
async fn stop(attack: &mut JoinSet<Anyhow<()>>) -> Anyhow<()> {
    while let Some(ended) = attack.try_join_next() {
        ended??;
    }
    attack.shutdown().await;
    Ok(())
}

/// Sends checks, one after the other, as an honest client; records their latency.
async fn honest(
    server: &DevServer,
    while_what: &str,
    figures: &mut Map<String, Value>,
) -> Anyhow<()> {
    let token = server.token().await?;
    let path = "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check";
    let body = r#"{"actions":["vps:apiovh:reboot"]}"#;
    let check = request(path, &format!("Authorization: Bearer {token}"), body);
    let end = Instant::now() + TIME;
    let mut times = Vec::new();
    while Instant::now() < end {
        let started = Instant::now();
        // A connection for each request, because being accepted is part of the service.
        let mut stream = TcpStream::connect(&server.address).await?;
        exchange(&mut stream, &check).await?;
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    times.sort_unstable();
    let worst = *times.last().ok_or("no request was made")?;
    let late = times[times.len() * 99 / 100];
    let figure = format!("99 % within {late:.1?}, all within {worst:.1?}");
    figures.insert(format!("an honest check while {while_what}"), figure.into());
    if worst > PATIENCE {
        return Err(format!("an honest client waited {worst:?} while {while_what}").into());
    }
    Ok(())
}

/// Sends headers as slowly as possible (Slowloris).
async fn slow(server: Arc<DevServer>) -> Anyhow<()> {
    loop {
        let Ok(mut stream) = TcpStream::connect(&server.address).await else { continue };
        for byte in b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX-Long: ".iter().cycle() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    }
}

/// Guesses secrets as fast as the server answers.
async fn guess(server: Arc<DevServer>) -> Anyhow<()> {
    for number in 0_u64.. {
        let basic = BASE64_STANDARD.encode(format!("EU.{number:016x}:gws_guess-{number}"));
        let Ok(mut stream) = TcpStream::connect(&server.address).await else { continue };
        for _ in 0..100 {
            match answer(&mut stream, &token_request(&basic)).await {
                Ok(said) if said.starts_with(b"HTTP/1.1 4") => {}
                Ok(said) => return Err(String::from_utf8_lossy(&said).into()),
                Err(_) => break,
            }
        }
    }
    Ok(())
}

/// Sends malformed or oversized requests.
async fn send_nonsense(server: Arc<DevServer>, number: usize) -> Anyhow<()> {
    let long = "a".repeat(1 << 20);
    let deep = "[".repeat(1 << 20);
    let nonsense = [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"),
        "POST /v2/iam/policy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
            .into(),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz"
            .into(),
        request("/auth/oauth2/token", "Authorization: Basic !", &deep),
        request("/access/v1/evaluations", "Authorization: Bearer x", &deep),
    ];
    let mut buffer = vec![0; 4096];
    for one in nonsense.iter().cycle().skip(number) {
        let Ok(mut stream) = TcpStream::connect(&server.address).await else { continue };
        if stream.write_all(one.as_bytes()).await.is_ok() {
            let wait = Duration::from_millis(500);
            let _ = tokio::time::timeout(wait, stream.read(&mut buffer)).await;
        }
    }
    Ok(())
}
