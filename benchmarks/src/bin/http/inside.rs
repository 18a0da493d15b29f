//! The embedded decision point, beside checks over HTTP.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gatewright_benchmarks::ACCOUNT;
use gatewright_embedded::{
    DecisionPoint, Environment, Region, ReplicaRequest, ResourceUrn, Scope, Settings, now,
};

use crate::client::{Anyhow, ROUND, exchange};

/// Measures the decisions per second of one thread, for many callers, and the latency of a request
/// over HTTP without other load, in microseconds.
pub(crate) async fn compare(
    address: SocketAddr,
    credentials: (String, String),
    callers: &[String],
    checks: &[String],
) -> Anyhow<(f64, f64)> {
    let url = format!("http://{address}");
    let offline = Duration::from_secs(60);
    let point = DecisionPoint::open(Settings { url, credentials, offline });
    let started = Instant::now();
    point.wait_for_revision(0, Duration::from_secs(60)).await?;
    println!("  in process: the account is followed after {:?}", started.elapsed());
    let subjects: Vec<String> = callers
        .iter()
        .map(|id| format!("urn:v1:eu:identity:credential:{ACCOUNT}/oauth2-{id}"))
        .collect();
    let resource = ResourceUrn::of(Region::Eu, "vps", "r1")?;
    let environment = Environment { now: now(), ip: None };
    let (mut done, started) = (0_u64, Instant::now());
    while started.elapsed() < ROUND / 4 {
        for subject in &subjects {
            let asked = ReplicaRequest {
                subject,
                scope: &Scope::All,
                token: None,
                action: "vps:apiovh:reboot",
                resource: &resource,
                environment,
            };
            black_box(point.decide(&asked)?);
        }
        done += subjects.len() as u64;
    }
    let inside = done as f64 / started.elapsed().as_secs_f64();
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let started = Instant::now();
    for check in checks {
        exchange(&mut stream, check).await?;
    }
    Ok((inside, started.elapsed().as_secs_f64() * 1e6 / checks.len() as f64))
}
