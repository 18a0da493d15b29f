//! The load: many connections that each send one request after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) use gatewright_benchmarks::client::{Anyhow, body, exchange, request};
use tokio::net::TcpStream;

/// The duration of a load.
pub(crate) const ROUND: Duration = Duration::from_secs(3);

/// Returns the number of connections of a load.
pub(crate) fn connections() -> usize {
    std::env::args().nth(3).and_then(|text| text.parse().ok()).unwrap_or(32)
}

/// Measures requests per second over persistent connections.
pub(crate) async fn load(address: SocketAddr, requests: &[String]) -> Anyhow<f64> {
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
