//! The load: many connections that each send one request after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use gatewright_benchmarks::client::{Anyhow, body, exchange, request};
use tokio::net::TcpStream;

use crate::turns::Round;

/// The duration of a load.
pub(crate) const ROUND: Duration = Duration::from_secs(3);

/// Returns the number of connections of a load.
pub(crate) fn connections() -> usize {
    std::env::args().nth(3).and_then(|text| text.parse().ok()).unwrap_or(32)
}

/// Measures requests over persistent connections.
pub(crate) async fn load(address: SocketAddr, requests: &[String]) -> Anyhow<Round> {
    let requests: Arc<[String]> = requests.into();
    let started = Instant::now();
    let connections = (0..connections()).map(|connection| {
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut next, mut times) = (connection * 31, Vec::new());
            let mut now = Instant::now();
            while now - started < ROUND {
                exchange(&mut stream, &requests[next % requests.len()]).await?;
                next += 1;
                times.push(lap(&mut now));
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(times)
        })
    });
    let mut times = Vec::new();
    for connection in connections.collect::<Vec<_>>() {
        times.extend(connection.await??);
    }
    Ok(Round::of(times, started.elapsed()))
}

/// Returns the microseconds since an instant, which becomes the present one.
pub(crate) fn lap(last: &mut Instant) -> u32 {
    let now = Instant::now();
    let time = now - std::mem::replace(last, now);
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
