//! The requests of a load.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use envoy_types::ext_authz::v3::pb::CheckRequest;
use gatewright_benchmarks::{Rule, client, rules};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Anyhow, body, exchange, request};
use crate::envoy;
use crate::server::{client_id, secret};

/// The number of service accounts that send requests.
const CALLERS: usize = 1_000;

/// The media type of a form.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// The media type of JSON, which AuthZEN demands.
const JSON: &str = "Content-Type: application/json";

/// The requests of many service accounts.
#[derive(Default)]
pub(crate) struct Requests {
    /// The client ids of the callers of checks and tokens.
    pub(crate) callers: Vec<String>,
    /// Requests to check a permission.
    pub(crate) checks: Vec<String>,
    /// Requests for a token.
    pub(crate) tokens: Vec<String>,
    /// Introspection of the tokens of the same callers, by another client.
    pub(crate) introspections: Vec<String>,
    /// AuthZEN's evaluations about the same callers, by another client.
    pub(crate) evaluations: Vec<String>,
    /// Nginx's checks of allowed requests.
    pub(crate) forwarded: Vec<String>,
    /// Envoy's checks of the same requests.
    pub(crate) envoy: Vec<CheckRequest>,
    /// The same requests as clients send them to nginx.
    pub(crate) guarded: Vec<String>,
}

impl Requests {
    /// Builds the requests, with the tokens that they need.
    pub(crate) async fn make(
        stream: &mut TcpStream,
        (administrator, secret): &(String, String),
        count: usize,
    ) -> Anyhow<Self> {
        let mut made = Self::default();
        let basic = BASE64_STANDARD.encode(format!("{administrator}:{secret}"));
        let bearer = issued(&exchange(stream, &client::token_request(&basic)).await?)?;
        for number in (0..CALLERS).map(|caller| caller * (count / CALLERS)) {
            let token = token(stream, number).await?;
            made.callers.push(client_id(number));
            made.tokens.push(token_request(number));
            made.introspections.push(request(
                "/auth/oauth2/introspect",
                &format!("Authorization: Basic {basic}\r\n{FORM}"),
                &format!("token={token}"),
            ));
            let evaluation = json!({
                "subject": {"type": "service_account", "id": client_id(number)},
                "action": {"name": "vps:apiovh:reboot"},
                "resource": {"type": "vps", "id": "r1"},
            });
            made.evaluations.push(request(
                "/access/v1/evaluation",
                &format!("Authorization: Bearer {bearer}\r\n{JSON}"),
                &evaluation.to_string(),
            ));
            made.checks.push(request(
                "/v2/iam/resource/urn:v1:eu:resource:vps:r1/authorization/check",
                &format!("Authorization: Bearer {token}"),
                r#"{"actions":["vps:apiovh:reboot"]}"#,
            ));
        }
        let rules = rules(count);
        let denied: HashSet<usize> =
            rules.iter().filter(|rule| rule.deny).map(|rule| rule.identity).collect();
        let mut seen = HashSet::new();
        let granted = rules.iter().filter(|rule| !denied.contains(&rule.identity));
        for rule in granted.filter(|rule| seen.insert(rule.identity)).take(CALLERS) {
            let token = token(stream, rule.identity).await?;
            made.add_forwarded(rule, &token);
        }
        Ok(made)
    }

    fn add_forwarded(&mut self, rule: &Rule, token: &str) {
        let (verb, resource) = (rule.verbs[0], rule.resource.unwrap_or(7));
        let path = format!("/{}/{verb}/r{resource}", rule.kind);
        self.guarded.push(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        ));
        self.forwarded.push(format!(
            "GET /forward-auth/nginx/benchmark HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nX-Original-Method: GET\r\n\
             X-Original-URI: {path}\r\n\r\n"
        ));
        self.envoy.push(envoy::request(token, path));
    }
}

/// Returns the token request of a service account.
pub(crate) fn token_request(number: usize) -> String {
    let basic = BASE64_STANDARD.encode(format!("{}:{}", client_id(number), secret(number)));
    client::token_request(&basic)
}

async fn token(stream: &mut TcpStream, number: usize) -> Anyhow<String> {
    issued(&exchange(stream, &token_request(number)).await?)
}

/// Returns the token that an answer issues.
fn issued(answer: &str) -> Anyhow<String> {
    Ok(body(answer)?["access_token"].as_str().ok_or("no token")?.to_owned())
}

/// Returns the same requests for another path.
pub(crate) fn readdressed(requests: &[String], path: &str) -> Vec<String> {
    let all = requests.iter().map(|request| {
        let (method, _) = request.split_once(' ').unwrap_or_default();
        let (_, rest) = request.split_once(" HTTP/1.1").unwrap_or_default();
        format!("{method} {path} HTTP/1.1{rest}")
    });
    all.collect()
}
