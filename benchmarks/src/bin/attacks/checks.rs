//! Checks that cost as much as a check can.

use std::sync::Arc;
use std::time::Duration;

use gatewright_benchmarks::client::{Anyhow, request};
use serde_json::json;
use tokio::time::timeout;

use crate::administration::{self, LARGE_POLICY};
use crate::attacker::{Attacker, Tasks};
use crate::connection::AttackConnection;
use crate::policies;

const PATH: &str = "/v2/iam/authorization/check";
const POLICIES: usize = 40;
/// The connections with checks of many decisions, and those with huge URNs.
const CONNECTIONS: usize = 8;
/// The most decisions of one check.
const DECISIONS: usize = 100_000;

/// Writes the costliest policies for its own service account, and hangs up on checks of all
/// actions.
pub(crate) fn costly(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    tasks.spawn(write_policies(Arc::clone(attacker)));
    for _ in 0..6 {
        tasks.spawn(check_and_hang_up(Arc::clone(attacker)));
    }
}

async fn write_policies(attacker: Arc<Attacker>) -> Anyhow<()> {
    let bearer = administration::bearer(&attacker).await?;
    let mut connection = AttackConnection::new(&attacker);
    for number in 0..POLICIES {
        let policy = policies::large(&attacker.account, &format!("costly-{number}"), "");
        connection.send(request("/v2/iam/policy", &bearer, &policy).as_bytes()).await?;
    }
    std::future::pending().await
}

async fn check_and_hang_up(attacker: Arc<Attacker>) -> Anyhow<()> {
    let own = format!("urn:v1:eu:resource:account:{}", attacker.account.name);
    let actions = administration::actions(&attacker, "account").await?;
    let body = json!({"actions": actions, "resourceURNs": vec![own; 5]});
    let check = request(PATH, &administration::bearer(&attacker).await?, &body.to_string());
    loop {
        let mut connection = AttackConnection::new(&attacker);
        match timeout(Duration::from_secs(1), connection.send(check.as_bytes())).await {
            Ok(answered) => drop(answered?),
            Err(_) => attacker.count("hung up"),
        }
    }
}

/// The policies of a caller whose single check costs nearly as much as it may, and the conditions of
/// each.
const COSTLY_POLICIES: usize = 6;
const COSTLY_CONDITIONS: usize = 1_000;
const MANY_CONNECTIONS: usize = 300;

/// Makes single checks that cost nearly as much as one decision may.
pub(crate) fn costly_singles(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    let attacker = Arc::clone(attacker);
    tasks.spawn(async move {
        let bearer = administration::bearer(&attacker).await?;
        let hour = json!({"operator": "MATCH", "values": {"date(Europe/Paris).Hour.GE": "0"}});
        let (owner, id) = (&attacker.account.name, &attacker.account.client_id);
        let mut connection = AttackConnection::new(&attacker);
        for number in 0..COSTLY_POLICIES {
            let policy = json!({
                "name": format!("{LARGE_POLICY}hours-{number}"),
                "identities": [format!("urn:v1:eu:identity:credential:{owner}/oauth2-{id}")],
                "resources": [{"urn": "urn:v1:eu:resource:*"}],
                "permissions": {"allow": [{"action": "*"}]},
                "conditions": {"operator": "AND", "conditions": vec![&hour; COSTLY_CONDITIONS]},
            });
            connection
                .send(request("/v2/iam/policy", &bearer, &policy.to_string()).as_bytes())
                .await?;
        }
        let check: Arc<str> = request(
            "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
            &bearer,
            r#"{"actions":["vps:apiovh:reboot"]}"#,
        )
        .into();
        let mut tasks = Tasks::new();
        for _ in 0..MANY_CONNECTIONS {
            tasks.spawn(repeat(Arc::clone(&attacker), Arc::clone(&check)));
        }
        tasks.join_next().await.map_or(Ok(()), |ended| ended?)
    });
}

async fn repeat(attacker: Arc<Attacker>, request: Arc<str>) -> Anyhow<()> {
    let mut connection = AttackConnection::new(&attacker);
    loop {
        if connection.send(request.as_bytes()).await?.is_some() {
            attacker.count("costly checks");
        }
    }
}

/// Checks, as a service account without any right, URNs that fill caches and logs.
pub(crate) fn huge_urns(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(check_huge_urns(Arc::clone(attacker), number));
    }
}

async fn check_huge_urns(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let bearer = administration::rightless(&attacker).await?;
    let urn = |name: &str| format!("urn:v1:eu:resource:vps:{name}");
    let check = |urns: &[String]| {
        let body = json!({"actions": ["vps:apiovh:reboot"], "resourceURNs": urns});
        request(PATH, &bearer, &body.to_string())
    };
    let huge = check(&[urn(&"u".repeat(1_900_000))]);
    let padding = "u".repeat(960);
    let mut connection = AttackConnection::new(&attacker);
    for turn in 0_u64.. {
        connection.send(huge.as_bytes()).await?;
        // As long as they may be, as many as a body holds, and never the same.
        let different = (0..1_900).map(|one| urn(&format!("{padding}{number}-{turn}-{one}")));
        connection.send(check(&different.collect::<Vec<_>>()).as_bytes()).await?;
    }
    Ok(())
}

/// Checks, as a service account without any right, as much as a check may ask.
pub(crate) fn many_decisions(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for _ in 0..CONNECTIONS {
        tasks.spawn(check_much(Arc::clone(attacker)));
    }
}

async fn check_much(attacker: Arc<Attacker>) -> Anyhow<()> {
    let bearer = administration::rightless(&attacker).await?;
    let actions = administration::actions(&attacker, "account").await?;
    let urns = (0..DECISIONS / actions.len().max(1))
        .map(|number| format!("urn:v1:eu:resource:account:{}-{number}", attacker.account.name));
    let body = json!({"actions": actions, "resourceURNs": urns.collect::<Vec<_>>()});
    let check = request(PATH, &bearer, &body.to_string());
    let mut connection = AttackConnection::new(&attacker);
    loop {
        connection.send(check.as_bytes()).await?;
    }
}
