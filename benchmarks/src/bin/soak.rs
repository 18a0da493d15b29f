//! Loads a server for a long time, and checks that it neither grows, slows down nor makes mistakes.
//!
//! `soak PROGRAM SECONDS` prints one JSON object of measurements, and fails if one is bad.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gatewright_benchmarks::ACCOUNT;
use gatewright_benchmarks::client::{Anyhow, answer, exchange, request, token_request};
use gatewright_benchmarks::server::{Account, HIGH_RATES, Installation, Server};
use serde_json::{Value, json};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 16;
/// The number of requests after which a connection is replaced.
const REQUESTS_PER_CONNECTION: usize = 1_000;
/// Few enough MiB for the logs that they are trimmed during the load.
const LOG_SIZES: [&str; 4] = ["--max-log-size", "256", "--max-total-log-size", "512"];

#[tokio::main]
async fn main() -> Anyhow<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: soak PROGRAM SECONDS";
    let program = arguments.next().ok_or(usage)?;
    let seconds: u64 = arguments.next().ok_or(usage)?.parse()?;
    let installation = Installation::create(Path::new(&program))?;
    let account = installation.create_account(ACCOUNT)?;
    let server = installation.start(&[&HIGH_RATES[..], &LOG_SIZES].concat())?;
    let target = Arc::new(Target { server, account });
    let process = &target.server.process;
    let end = Instant::now() + Duration::from_secs(seconds);
    let done = Arc::new(AtomicU64::new(0));
    let load: Vec<_> = (0..CONNECTIONS)
        .map(|number| tokio::spawn(load(Arc::clone(&target), number, end, Arc::clone(&done))))
        .collect();
    // Caches and pools are filled after a tenth of the time.
    tokio::time::sleep(Duration::from_secs(seconds / 10)).await;
    let (early, first) = (process.memory()?, done.load(Ordering::Relaxed));
    let files = process.open_files()?;
    for one in load {
        one.await??;
    }
    let late = process.memory()?;
    let all = done.load(Ordering::Relaxed);
    let figures = json!({
        "time": format!("{seconds} s"),
        "requests, all answered as they must be": all,
        "requests per second in the first tenth": first * 10 / seconds,
        "requests per second in the rest": (all - first) * 10 / (seconds * 9),
        "memory after a tenth of the time": format!("{early} kB"),
        "memory at the end": format!("{late} kB"),
        "files of the installation at the end": format!("{} kB", installation.disk()? / 1_000),
        "open files after a tenth of the time": files,
        "open files at the end": process.open_files()?,
    });
    println!("{figures}");
    if late > 2 * early {
        return Err("the server's memory has more than doubled".into());
    }
    Ok(())
}

/// A server and the account that the load belongs to.
struct Target {
    server: Server,
    account: Account,
}

/// Sends the requests of typical clients in turn, until the end.
async fn load(
    target: Arc<Target>,
    number: usize,
    end: Instant,
    done: Arc<AtomicU64>,
) -> Anyhow<()> {
    let Target { server, account } = &*target;
    let token = token_request(&account.basic());
    for turn in 0.. {
        let bearer = server.bearer(&account.basic()).await?;
        let mut stream = server.connect().await?;
        for step in 0..REQUESTS_PER_CONNECTION {
            if Instant::now() > end {
                return Ok(());
            }
            match step % 100 {
                0 => {
                    let name = format!("soak-{number}-{turn}-{step}");
                    create_and_delete(account, &mut stream, &bearer, &name).await?;
                }
                1 => {
                    let path = "GET /v2/iam/policy HTTP/1.1\r\nHost: localhost\r\n";
                    exchange(&mut stream, &format!("{path}{bearer}\r\n\r\n")).await?;
                }
                2 => {
                    let wrong = "GET /v1/me HTTP/1.1\r\nHost: localhost\r\n";
                    let wrong = format!("{wrong}Authorization: Bearer {number}\r\n\r\n");
                    expect(&answer(&mut stream, &wrong).await?, "401")?;
                }
                3..13 => {
                    exchange(&mut stream, &token).await?;
                }
                _ => {
                    let path = "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check";
                    let body = r#"{"actions":["vps:apiovh:reboot"]}"#;
                    exchange(&mut stream, &request(path, &bearer, body)).await?;
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

async fn create_and_delete(
    account: &Account,
    stream: &mut TcpStream,
    bearer: &str,
    name: &str,
) -> Anyhow<()> {
    let owner = format!("urn:v1:eu:identity:account:{}", account.name);
    let policy = json!({
        "name": name, "identities": [owner], "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
        "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
    });
    let said = exchange(stream, &request("/v2/iam/policy", bearer, &policy.to_string())).await?;
    let (_, body) = said.split_once("\r\n\r\n").ok_or("no body")?;
    let policy: Value = serde_json::from_str(body)?;
    let id = policy["id"].as_str().ok_or("no identifier")?;
    let delete =
        format!("DELETE /v2/iam/policy/{id} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\r\n");
    expect(&answer(stream, &delete).await?, "204")
}

fn expect(answer: &[u8], status: &str) -> Anyhow<()> {
    if answer.starts_with(format!("HTTP/1.1 {status}").as_bytes()) {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(answer).into())
    }
}
