//! Requests that are refused before they are read, and what is no request at all.

use std::sync::Arc;
use std::time::Duration;

use gatewright_benchmarks::client::{Anyhow, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::administration;
use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;

const CONNECTIONS: usize = 16;

/// Sends bodies that are refused unread. The next request on the connection must be answered,
/// unless the refusal said that it ends.
pub(crate) fn bodies(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(send_bodies(Arc::clone(attacker), number));
    }
}

async fn send_bodies(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let bearer = administration::bearer(&attacker).await?;
    let (small, large) = ("x".repeat(50_000), "x".repeat(1_000_000));
    let refused = [
        request("/v2/iam/policy", "Authorization: Bearer x", &small),
        request("/v2/iam/nowhere", &bearer, &small),
        request("/v2/iam/reference/action", &bearer, &small),
        request("/v2/iam/policy", "Authorization: Bearer x", &large),
        request("/v2/iam/nowhere", &bearer, &large),
        request("/v2/iam/reference/action", &bearer, &large),
        request("/auth/oauth2/token", "Authorization: Basic !", &large),
    ];
    let mut line = AttackConnection::new(&attacker);
    for one in refused.iter().cycle().skip(number) {
        let was_open = line.is_open();
        if line.send(one.as_bytes()).await?.is_none() && was_open {
            return Err("a refusal ended its connection without saying so".into());
        }
    }
    Ok(())
}

/// Sends what is no request, or too large a one.
pub(crate) fn nonsense(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(send_nonsense(Arc::clone(attacker), number));
    }
}

async fn send_nonsense(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let long = "a".repeat(1 << 20);
    let deep = "[".repeat(1 << 20);
    let bearer = administration::bearer(&attacker).await?;
    let nonsense = [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"),
        "POST /v2/iam/policy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
            .into(),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz"
            .into(),
        request("/auth/oauth2/token", "Authorization: Basic !", &deep),
        request("/access/v1/evaluations", &bearer, &deep),
        request("/v2/iam/policy", &bearer, &deep),
    ];
    let mut said = vec![0; 4096];
    for one in nonsense.iter().cycle().skip(number) {
        let mut stream = attacker.connect().await;
        let (mut reader, mut writer) = stream.split();
        let both = async { tokio::join!(writer.write_all(one.as_bytes()), reader.read(&mut said)) };
        match tokio::time::timeout(Duration::from_millis(500), both).await {
            Ok((_, Ok(length))) if length > 0 => {
                attacker.judge(&said[..length])?;
            }
            _ => attacker.pause("no answer").await,
        }
    }
    Ok(())
}
