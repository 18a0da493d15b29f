//! Acknowledged changes survive a crash of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::server::{Caller, HTTPS, Server};

const ROUNDS: usize = 200;
const WRITERS: usize = 4;

/// A change that the server has acknowledged.
enum Acknowledged {
    Created(String),
    Changed(String, String),
    Deleted(String),
}

/// Writes as fast as possible until the server is gone; returns the acknowledged changes.
async fn write(
    caller: Caller,
    prefix: String,
    stop: Arc<AtomicBool>,
    progress: UnboundedSender<()>,
) -> Vec<Acknowledged> {
    let mut done = Vec::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{prefix}-{turn}");
        let body = |description: &str| {
            json!({
                "name": name, "description": description, "identities": [caller.urn()],
                "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
                "permissions": {"allow": [{"action": "vps:*"}]},
            })
        };
        let Some(made) = send(&caller, reqwest::Method::POST, "/v2/iam/policy", &body("new")).await
        else {
            break;
        };
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v2/iam/policy/{id}");
        match turn % 3 {
            0 => done.push(Acknowledged::Created(id)),
            1 => {
                let changed = send(&caller, reqwest::Method::PUT, &path, &body("changed")).await;
                if let Some(changed) = changed {
                    let updated = changed["updatedAt"].as_str().unwrap().to_owned();
                    done.push(Acknowledged::Changed(id, updated));
                }
            }
            _ => {
                if send(&caller, reqwest::Method::DELETE, &path, &Value::Null).await.is_some() {
                    done.push(Acknowledged::Deleted(id));
                }
            }
        }
        let _ = progress.send(());
    }
    done
}

/// Returns the body of the response; none if there was no response.
async fn send(caller: &Caller, method: reqwest::Method, path: &str, body: &Value) -> Option<Value> {
    let response = caller.request(method, path).json(body).send().await.ok()?;
    assert!(response.status().is_success(), "{}", response.status());
    let text = response.text().await.ok()?;
    Some(serde_json::from_str(&text).unwrap_or_default())
}

async fn check(caller: &Caller, acknowledged: &[Acknowledged]) {
    let read = async |id: &str| caller.get(&format!("/v2/iam/policy/{id}")).await;
    for one in acknowledged {
        match one {
            Acknowledged::Created(id) => assert_eq!(read(id).await.status, 200, "a policy is lost"),
            Acknowledged::Changed(id, updated) => {
                assert_eq!(read(id).await.expect(200)["updatedAt"], *updated, "a change is lost");
            }
            Acknowledged::Deleted(id) => {
                assert_eq!(read(id).await.status, 404, "a deletion is lost");
            }
        }
    }
}

on_both_databases!(every_acknowledged_write_outlives_two_hundred_kills);
async fn every_acknowledged_write_outlives_two_hundred_kills(database: TestDatabase) {
    let mut server = Server::start_with(&database, &HTTPS);
    let admin = server.admin().await;
    let mut all = 0;
    for round in 0..ROUNDS {
        let mut caller = admin.clone();
        caller.url.clone_from(&server.url);
        let stop = Arc::new(AtomicBool::new(false));
        let (progress, mut progressing) = unbounded_channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let prefix = format!("p-{round}-{writer}");
                tokio::spawn(write(caller.clone(), prefix, Arc::clone(&stop), progress.clone()))
            })
            .collect();
        for _ in 0..fastrand::u32(2..20) {
            progressing.recv().await.unwrap();
        }
        // The writers end when they get no response.
        server.crash();
        stop.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        all += acknowledged.len();
        check(&server.bearing(&admin.token), &acknowledged).await;
        if round % 40 == 0 || round + 1 == ROUNDS {
            let (holds, said) = server.setup().run(&["journal", "verify"]);
            assert!(holds, "round {round}: {said}");
        }
    }
    assert!(all > ROUNDS, "only {all} writes were acknowledged");
}
