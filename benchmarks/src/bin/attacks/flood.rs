//! Valid requests without a pause.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, body, request, token_request};

use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;

const CONNECTIONS: usize = 32;
const CHECKS: usize = 20;

pub(crate) fn launch(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for _ in 0..CONNECTIONS {
        tasks.spawn(ask(Arc::clone(attacker)));
    }
}

/// Asks for tokens, and for decisions with each.
async fn ask(attacker: Arc<Attacker>) -> Anyhow<()> {
    let mut line = AttackConnection::new(&attacker);
    let token = token_request(&attacker.account.basic());
    loop {
        let Some(reply) = line.send(token.as_bytes()).await? else { continue };
        if reply.status != 200 {
            continue;
        }
        let said = body(std::str::from_utf8(&reply.text)?)?;
        let bearer =
            format!("Authorization: Bearer {}", said["access_token"].as_str().ok_or("no token")?);
        let check = request(
            "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
            &bearer,
            r#"{"actions":["vps:apiovh:reboot"]}"#,
        );
        for _ in 0..CHECKS {
            line.send(check.as_bytes()).await?;
        }
    }
}
