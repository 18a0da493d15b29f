//! Guarded APIs with large documents.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, request};
use serde_json::{Map, json};

use crate::administration;
use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;

const CONNECTIONS: usize = 4;
/// The number of APIs of one connection: together, as many as were once enough to fill the memory.
const APIS: usize = 10;
const OPERATIONS: usize = 5_000;

/// Declares large APIs again and again, each time with a change.
pub(crate) fn launch(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(declare(Arc::clone(attacker), number));
    }
}

async fn declare(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let bearer = administration::bearer(&attacker).await?;
    let mut line = AttackConnection::new(&attacker);
    for turn in 0_u64.. {
        for one in 0..APIS {
            let name = format!("large-{number}-{one}");
            let declaration = request(
                &format!("/v2/iam/api/{name}"),
                &format!("{bearer}\r\nContent-Type: application/json"),
                &document(&name, turn),
            );
            line.send(declaration.replacen("POST", "PUT", 1).as_bytes()).await?;
        }
    }
    Ok(())
}

/// Returns a document of nearly two megabytes.
fn document(name: &str, turn: u64) -> String {
    let padding = "d".repeat(200);
    let operations = (0..OPERATIONS).map(|number| {
        let operation = json!({
            "description": format!("{turn} {padding}"),
            "x-iam-resource": {"type": "thing", "in": "path", "name": "id"},
            "x-iam-actions": [{"name": format!("thing:{name}:a{number}")}],
        });
        (format!("/r{number}/{{id}}"), json!({ "get": operation }))
    });
    json!({"openapi": "3.0.3", "paths": operations.collect::<Map<_, _>>()}).to_string()
}
