//! The requests that a load is made of.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use envoy_types::ext_authz::v3::pb::CheckRequest;
use gatewright_benchmarks::{Rule, rules};
use tokio::net::TcpStream;

use crate::client::{Anyhow, body, exchange, request};
use crate::envoy;
use crate::server::{client_id, secret};

/// How many service accounts ask.
const CALLERS: usize = 1_000;

/// Requests of many service accounts.
#[derive(Default)]
pub(crate) struct Requests {
    /// The service accounts of checks and tokens.
    pub(crate) callers: Vec<String>,
    /// May the caller do this?
    pub(crate) checks: Vec<String>,
    /// Requests for a token.
    pub(crate) tokens: Vec<String>,
    /// What nginx asks about requests that are allowed.
    pub(crate) forwarded: Vec<String>,
    /// The same as Envoy asks.
    pub(crate) envoy: Vec<CheckRequest>,
    /// The same requests as their client sends them to nginx.
    pub(crate) guarded: Vec<String>,
}

impl Requests {
    /// Makes them, with the tokens that they need.
    pub(crate) async fn make(stream: &mut TcpStream, count: usize) -> Anyhow<Self> {
        let mut made = Self::default();
        for number in (0..CALLERS).map(|caller| caller * (count / CALLERS)) {
            let token = token(stream, number).await?;
            made.callers.push(client_id(number));
            made.tokens.push(token_request(number));
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

/// Asks for a token of a service account.
pub(crate) fn token_request(number: usize) -> String {
    let basic = BASE64_STANDARD.encode(format!("{}:{}", client_id(number), secret(number)));
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let headers = format!("Authorization: Basic {basic}\r\n{kind}");
    request("/auth/oauth2/token", &headers, "grant_type=client_credentials&scope=all")
}

async fn token(stream: &mut TcpStream, number: usize) -> Anyhow<String> {
    let answer = body(&exchange(stream, &token_request(number)).await?)?;
    Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
}

/// Sends the same requests to another path.
pub(crate) fn readdressed(requests: &[String], path: &str) -> Vec<String> {
    let all = requests.iter().map(|request| {
        let (method, _) = request.split_once(' ').unwrap_or_default();
        let (_, rest) = request.split_once(" HTTP/1.1").unwrap_or_default();
        format!("{method} {path} HTTP/1.1{rest}")
    });
    all.collect()
}
