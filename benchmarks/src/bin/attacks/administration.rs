//! Changes of the attacker's own account, as everybody may make them.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, body, request, token_request};
use gatewright_benchmarks::server::basic;
use serde_json::{Value, json};

use crate::attacker::Attacker;
use crate::connection::AttackConnection;

/// The number of times that a request is sent until it succeeds: for some ten seconds.
const TRIES: usize = 500;

/// The beginning of the names of the policies that an attack makes.
pub(crate) const LARGE_POLICY: &str = "large-";

/// Returns the header with a token of the service account that may do everything.
pub(crate) async fn bearer(attacker: &Arc<Attacker>) -> Anyhow<String> {
    bearer_of(attacker, &attacker.account.basic()).await
}

/// Creates a service account without rights; returns the header with a token of it.
pub(crate) async fn rightless(attacker: &Arc<Attacker>) -> Anyhow<String> {
    let new = json!({"name": "x", "description": "y", "flow": "CLIENT_CREDENTIALS"});
    let bearer = bearer(attacker).await?;
    let new = request("/v1/me/api/oauth2/client", &bearer, &new.to_string());
    let made = body(&obtain(attacker, &new).await?)?;
    let text = |key: &str| made[key].as_str().ok_or("not made");
    bearer_of(attacker, &basic(text("clientId")?, text("clientSecret")?)).await
}

async fn bearer_of(attacker: &Arc<Attacker>, basic: &str) -> Anyhow<String> {
    let said = body(&obtain(attacker, &token_request(basic)).await?)?;
    Ok(format!("Authorization: Bearer {}", said["access_token"].as_str().ok_or("no token")?))
}

/// Returns the names of all actions on a type of resources.
pub(crate) async fn actions(attacker: &Arc<Attacker>, kind: &str) -> Anyhow<Vec<String>> {
    let path = format!("/v2/iam/reference/action?resourceType={kind}");
    let all = list(attacker, &path, &bearer(attacker).await?).await?;
    Ok(all.iter().filter_map(|one| one["action"].as_str().map(str::to_owned)).collect())
}

/// Deletes the policies and guarded APIs that an attack has made. That must always work.
pub(crate) async fn clean_up(attacker: &Arc<Attacker>) -> Anyhow<()> {
    let bearer = bearer(attacker).await?;
    let policies = list(attacker, "/v2/iam/policy", &bearer).await?;
    // Its service account has its rights by a policy as well.
    let is_large = |policy: &&Value| {
        policy["name"].as_str().is_some_and(|name| name.starts_with(LARGE_POLICY))
    };
    let large = policies.iter().filter(is_large);
    let ids = large.filter_map(|policy| policy["id"].as_str().map(|id| format!("policy/{id}")));
    let apis = list(attacker, "/v2/iam/api", &bearer).await?;
    let names = apis.iter().filter_map(|name| name.as_str().map(|name| format!("api/{name}")));
    for path in ids.chain(names) {
        let path = format!("/v2/iam/{path}");
        let delete = format!("DELETE {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\r\n");
        obtain(attacker, &delete).await?;
    }
    Ok(())
}

async fn list(attacker: &Arc<Attacker>, path: &str, bearer: &str) -> Anyhow<Vec<Value>> {
    let pages = "X-Pagination-Size: 10000";
    let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n{pages}\r\n\r\n");
    let Value::Array(all) = body(&obtain(attacker, &get).await?)? else {
        return Err("no list".into());
    };
    Ok(all)
}

/// Sends a request until it succeeds.
async fn obtain(attacker: &Arc<Attacker>, request: &str) -> Anyhow<String> {
    let mut last = "no answer".to_owned();
    for _ in 0..TRIES {
        match AttackConnection::new(attacker).send(request.as_bytes()).await? {
            Some(reply) if reply.status < 300 => return Ok(String::from_utf8(reply.text)?),
            Some(reply) => last = String::from_utf8_lossy(&reply.text).into(),
            None => {}
        }
        attacker.pause("tried again").await;
    }
    Err(format!("the attacker cannot prepare or end its attack: {last}").into())
}
