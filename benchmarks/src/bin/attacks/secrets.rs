//! Requests that are refused, each of which could leave a line in a log.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, token_request};
use gatewright_benchmarks::server::basic;

use crate::administration;
use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;

const CONNECTIONS: usize = 16;

/// Tries wrong secrets of the honest caller's client, and of clients that do not exist.
pub(crate) fn wrong(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(guess(Arc::clone(attacker), number));
    }
}

async fn guess(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let mut line = AttackConnection::new(&attacker);
    for turn in 0_u64.. {
        let id = match number % 4 {
            0 => format!("EU.{turn:016x}"),
            _ => attacker.victim.client_id.clone(),
        };
        let guess = token_request(&basic(&id, &format!("gws_guess-{number}-{turn}")));
        line.send(guess.as_bytes()).await?;
    }
    Ok(())
}

/// Asks for paths that do not exist and are as long as a head allows, with and without a token.
pub(crate) fn long_paths(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(ask(Arc::clone(attacker), number));
    }
}

async fn ask(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let bearer = administration::bearer(&attacker).await?;
    let header = if number.is_multiple_of(2) { bearer } else { "Accept: */*".to_owned() };
    let long = "a".repeat(60_000);
    let path = format!("/v2/iam/policy/{long}");
    let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n");
    let mut line = AttackConnection::new(&attacker);
    loop {
        line.send(get.as_bytes()).await?;
    }
}
