//! Authorizes a request to a guarded API, as a proxy describes it.
//!
//! Proxies hand the headers of their clients on, so whatever they say of the request is taken from
//! the one header that the kind of proxy sets, and whoever sends another one to the same end is
//! refused.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use axum::http::header::{AsHeaderName, UPGRADE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::BytesMut;
use gatewright_iam::{
    AuthorizedCaller, ForwardedRequest, Iam, IamError, Instant, QueryId, Refusal,
};

use crate::edge::{BearerToken, MINIMUM_REVISION, bearer, wait_for_revision};

/// The headers by which a proxy or an API may take a request for another one.
const MISLEADING: [&str; 9] = [
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-method",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// The headers by which an API hears who calls, and how fresh the decision is.
const IDENTITY: HeaderName = HeaderName::from_static("x-gatewright-identity");
const ACCOUNT: HeaderName = HeaderName::from_static("x-gatewright-account");
const TOKEN: HeaderName = HeaderName::from_static("x-gatewright-token");
const REVISION: HeaderName = HeaderName::from_static("x-gatewright-revision");

/// The number of headers of a response, with those that every response has.
const HEADERS: usize = 8;

/// The prefix of the headers by which an API hears who calls.
const OURS: &str = "x-gatewright-";

/// A request to a guarded API, as a proxy describes it.
pub(crate) struct OriginalRequest<'a> {
    pub(crate) api: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// The headers of the client, and those that the proxy set.
    pub(crate) headers: &'a HeaderMap,
    /// The names of those that the proxy set.
    pub(crate) set: &'a [HeaderName],
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: Instant,
}

/// Authorizes a request, and gives the headers by which the API hears who calls.
pub(crate) async fn authorize(
    iam: &Iam,
    original: &OriginalRequest<'_>,
) -> Result<HeaderMap, Refusal> {
    let headers = original.headers;
    wait_for_revision(iam, headers).await?;
    if let Some(misleading) = misleading(headers, original.set) {
        return Err(refused(format!("the request must not have a header {misleading}")).into());
    }
    let token = bearer(headers);
    let forwarded = ForwardedRequest {
        api: original.api,
        method: original.method,
        target: original.target,
        header: &|name| single(headers, name),
        upgrades: headers.contains_key(UPGRADE),
        token: token.as_ref().map(BearerToken::reveal).map_err(IamError::again),
        ip: original.ip,
        query_id: original.query_id,
        now: original.now,
    };
    let caller = iam.authorize_forwarded(&forwarded).await?;
    Ok(identity_headers(caller.as_ref()))
}

/// Writes who calls into headers. All that say who it is are there always, empty where it is nobody,
/// so that a proxy overwrites what its client made up.
fn identity_headers(caller: Option<&AuthorizedCaller>) -> HeaderMap {
    let who = caller.map(|one| &one.principal);
    let (urn, account, token) = who.map_or(("", "", ""), |who| {
        (who.identity.urn(), who.account(), who.token_id().unwrap_or_default())
    });
    let mut headers = HeaderMap::with_capacity(HEADERS);
    // One buffer holds all texts.
    let mut text = BytesMut::with_capacity(urn.len() + 2 * account.len() + token.len() + 24);
    let mut tell = |name, text: BytesMut| {
        if let Ok(value) = HeaderValue::from_maybe_shared(text.freeze()) {
            headers.insert(name, value);
        }
    };
    for (name, said) in [(IDENTITY, urn), (ACCOUNT, account), (TOKEN, token)] {
        text.extend_from_slice(said.as_bytes());
        tell(name, text.split());
    }
    if let Some(one) = caller
        && write!(text, "{}", one.revision).is_ok()
    {
        tell(REVISION, text);
    }
    headers
}

/// Lists the actions that a caller lacks; none where this is no refusal, but a failure.
pub(crate) fn missing_actions(error: &IamError) -> Option<Vec<String>> {
    match error {
        IamError::Forbidden { by_policy, by_scope } => Some([&**by_policy, by_scope].concat()),
        IamError::NoCredentials | IamError::BadCredential | IamError::Refused(_) => {
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Refuses a request that is unclear.
pub(crate) fn refused(message: String) -> IamError {
    IamError::Refused(message)
}

/// Reads the value of a header that is there once.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Finds a header by which something else could be meant than what the proxy says. Some programs
/// take an underscore for a dash.
fn misleading(headers: &HeaderMap, set: &[HeaderName]) -> Option<String> {
    let wrong = headers.keys().map(HeaderName::as_str).find(|&name| {
        if !name.starts_with('x') || set.iter().any(|one| one == name) {
            return false;
        }
        let plain = if name.contains('_') {
            Cow::Owned(name.replace('_', "-"))
        } else {
            Cow::Borrowed(name)
        };
        (plain.starts_with(OURS) && name != MINIMUM_REVISION) || MISLEADING.contains(&&*plain)
    });
    wrong.map(str::to_owned)
}
