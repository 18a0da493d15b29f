//! Large policies.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, body, request};
use gatewright_benchmarks::server::Account;
use serde_json::{Value, json};

use crate::administration::{self, LARGE_POLICY};
use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;

const CONNECTIONS: usize = 4;
/// The most entries that a list may have.
const PATTERNS: usize = 5_000;

/// Returns a policy of nearly a megabyte for the account's service account, of patterns that are
/// all looked for in every action, and in none.
pub(crate) fn large(account: &Account, name: &str, description: &str) -> String {
    let padding = "a".repeat(40);
    let patterns = |list: &str| -> Vec<Value> {
        let all = 0..PATTERNS;
        all.map(|number| json!({"action": format!("*{list}{number:04}{padding}*")})).collect()
    };
    let (owner, id) = (&account.name, &account.client_id);
    let policy = json!({
        "name": format!("{LARGE_POLICY}{name}"), "description": description,
        "identities": [format!("urn:v1:eu:identity:credential:{owner}/oauth2-{id}")],
        "resources": [{"urn": "urn:v1:eu:resource:*"}],
        "permissions": {
            "allow": patterns("x"), "except": patterns("y"), "deny": patterns("z"),
        },
    });
    policy.to_string()
}

/// Edits large policies without a pause.
pub(crate) fn edits(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(edit(Arc::clone(attacker), format!("edited-{number}")));
    }
}

async fn edit(attacker: Arc<Attacker>, name: String) -> Anyhow<()> {
    let bearer = administration::bearer(&attacker).await?;
    let mut line = AttackConnection::new(&attacker);
    let first = request("/v2/iam/policy", &bearer, &large(&attacker.account, &name, ""));
    let made = loop {
        match line.send(first.as_bytes()).await? {
            Some(reply) if reply.status == 200 => break reply,
            _ => attacker.pause("tried again").await,
        }
    };
    let made = body(std::str::from_utf8(&made.text)?)?;
    let path = format!("/v2/iam/policy/{}", made["id"].as_str().ok_or("no identifier")?);
    let edits = ["one", "another"].map(|description| {
        let edited = large(&attacker.account, &name, description);
        request(&path, &bearer, &edited).replacen("POST", "PUT", 1)
    });
    for edit in edits.iter().cycle() {
        line.send(edit.as_bytes()).await?;
    }
    Ok(())
}
