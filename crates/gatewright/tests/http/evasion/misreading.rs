//! Tells whether the API could read a request otherwise than it was decided on.

use jsonwebtoken::dangerous::insecure_decode;
use serde_json::Value;

use super::recording_api::Received;
use crate::server::{ACCOUNT, Caller};

/// Headers from which an API could read another method, path or address than was decided on.
const MISLEADING: [&str; 21] = [
    "authorization",
    "forwarded",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-preferred-username",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-http-method",
    "x-http-method-override",
    "x-method",
    "x-original",
    "x-real-ip",
    "x-rewrite-url",
];

/// Returns what is wrong about a request that reached the API.
pub(super) fn misreading(received: &Received, caller: &Caller) -> Option<String> {
    if let Some(unclear) = &received.unclear {
        return Some(unclear.clone());
    }
    let path = received.target.split('?').next().unwrap_or_default();
    let reads = ["GET", "HEAD"].contains(&&*received.method);
    if !reads || !["/orders/7", "/till", "/health"].contains(&path) {
        return Some("it was not decided on".to_owned());
    }
    let named = |name: &str| {
        let same = received.headers.iter().filter(move |(spelled, _)| plain(spelled) == name);
        same.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    if path == "/till" && named("x-till") != ["1"] {
        return Some("it is another till".to_owned());
    }
    let urn = caller.urn();
    let (identity, account, token) = (
        named("x-gatewright-identity"),
        named("x-gatewright-account"),
        named("x-gatewright-token"),
    );
    let assertion = named("x-gatewright-assertion");
    let all = [&identity, &account, &token, &assertion];
    let is_nobody = all.iter().all(|one| one.iter().all(|text| text.is_empty()));
    let asserts = |signed: &str| {
        // Its signature is verified in the tests of assertions.
        insecure_decode::<Value>(signed).is_ok_and(|token| {
            let claims = &token.claims;
            claims["sub"] == urn && claims["method"] == received.method && claims["path"] == path
        })
    };
    let is_caller = identity == [urn.as_str()]
        && account == [ACCOUNT]
        && token.len() == 1
        && assertion.len() == 1
        && asserts(assertion[0]);
    if !(is_caller || path == "/health" && is_nobody) {
        return Some(format!(
            "it comes from {identity:?} of {account:?}: {token:?}, {assertion:?}"
        ));
    }
    received.headers.iter().find_map(|(name, value)| misleads(name, value))
}

/// Returns a header's name as programs read it that tell no dash from another mark.
fn plain(name: &str) -> String {
    name.chars()
        .map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' })
        .collect()
}

/// Returns how a header could mislead the API.
fn misleads(name: &str, value: &str) -> Option<String> {
    let plain = plain(name);
    let is_ours = ["identity", "account", "token", "assertion", "revision", "at-least"]
        .iter()
        .any(|one| name.eq_ignore_ascii_case(&format!("x-gatewright-{one}")));
    // An API could take another mark in a name for a dash.
    let is_misleading = !plain.eq_ignore_ascii_case(name)
        || plain.starts_with("x-gatewright") && !is_ours
        || MISLEADING.iter().any(|one| plain.starts_with(one))
        || plain.starts_with("x-forwarded") && value == "forged"
        || plain == "x-forwarded-for" && value.contains("6.6.6.6")
        || plain == "upgrade";
    is_misleading.then(|| format!("{name}: {value}"))
}
