//! Authorizes a request to a guarded API, as a proxy describes it.
//!
//! Proxies pass their clients' headers on. So everything is read from the one header that the proxy
//! sets, and a request with another header of the same meaning is refused (header smuggling).

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{AsHeaderName, UPGRADE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::BytesMut;
use gatewright_iam::{
    AuthorizedCaller, ForwardedRequest, Iam, IamError, Instant, QueryId, Refusal, Secret, TokenId,
};

use crate::edge::{BearerToken, MINIMUM_REVISION, bearer, may_wait, wait_for_revision};
use crate::response::REVISION;

/// The headers from which a proxy or an API may read another method, path or host.
const MISLEADING: [&str; 10] = [
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-method",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-method",
    "x-method-override",
];

/// The headers that tell the API the caller's identity and the revision of the decision.
const IDENTITY: HeaderName = HeaderName::from_static("x-gatewright-identity");
const ACCOUNT: HeaderName = HeaderName::from_static("x-gatewright-account");
const TOKEN: HeaderName = HeaderName::from_static("x-gatewright-token");
const ASSERTION: HeaderName = HeaderName::from_static("x-gatewright-assertion");

/// The number of headers of a response, including those that every response has.
const HEADERS: usize = 9;

/// The prefix of the headers with the caller's identity.
const OURS: &str = "x-gatewright-";

/// A request to a guarded API, as a proxy describes it.
pub(crate) struct OriginalRequest<'a> {
    pub(crate) api: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// The headers of the client, together with those that the proxy set.
    pub(crate) headers: &'a HeaderMap,
    /// The names of the headers that the proxy set.
    pub(crate) set: &'a [HeaderName],
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: Instant,
}

/// Authorizes the request, and returns the headers with the caller's identity for the API.
pub(crate) async fn authorize(
    iam: &Arc<Iam>,
    original: &OriginalRequest<'_>,
) -> Result<HeaderMap, Refusal> {
    let headers = original.headers;
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
    let mut waited = Ok(());
    if headers.contains_key(MINIMUM_REVISION)
        && let Ok(token) = &forwarded.token
    {
        // Boxed: the future is large and seldom needed.
        let first = Box::pin(iam.authenticate(token, original.now)).await;
        if may_wait(iam, token, &first).await {
            waited = wait_for_revision(iam, headers).await;
        }
    }
    let authorized = iam.authorize_forwarded(&forwarded).await;
    // Whether there is such a revision is told only to a caller who is authenticated.
    if let Err(error) = waited
        && authorized.as_ref().map_or_else(is_authenticated, Option::is_some)
    {
        return Err(deny_invalid(error).into());
    }
    Ok(identity_headers(authorized?.as_ref())?)
}

/// Builds the headers with the caller's identity. All are always present, empty for an anonymous
/// caller, so that the proxy overwrites forged ones.
fn identity_headers(caller: Option<&AuthorizedCaller>) -> Result<HeaderMap, IamError> {
    let who = caller.map(|one| &one.principal);
    let (urn, account, token) = who.map_or(("", "", ""), |who| {
        (who.identity.urn(), who.account().as_str(), who.token_id().map_or("", TokenId::as_str))
    });
    let assertion = caller.and_then(|one| one.assertion.as_ref()).map_or("", Secret::reveal);
    let mut headers = HeaderMap::with_capacity(HEADERS);
    // All values are slices of one buffer: one allocation.
    let length = urn.len() + 2 * account.len() + token.len() + assertion.len() + 24;
    let mut text = BytesMut::with_capacity(length);
    let mut tell = |name, text: BytesMut| {
        let value = HeaderValue::from_maybe_shared(text.freeze()).map_err(IamError::internal)?;
        headers.insert(name, value);
        Ok::<(), IamError>(())
    };
    for (name, said) in
        [(IDENTITY, urn), (ACCOUNT, account), (TOKEN, token), (ASSERTION, assertion)]
    {
        text.extend_from_slice(said.as_bytes());
        tell(name, text.split())?;
    }
    if let Some(one) = caller {
        write!(text, "{}", one.revision).map_err(IamError::internal)?;
        tell(REVISION, text)?;
    }
    Ok(headers)
}

/// Lists the actions that a caller lacks; none if the error is a failure, not a denial.
pub(crate) fn missing_actions(error: &IamError) -> Option<Vec<String>> {
    match error {
        IamError::Forbidden { by_policy, by_scope } => Some([&**by_policy, by_scope].concat()),
        IamError::NoCredentials | IamError::BadCredential | IamError::Refused(_) => {
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Returns whether a refused caller was authenticated.
fn is_authenticated(refusal: &Refusal) -> bool {
    refusal.revision.is_some()
}

/// Turns an invalid header into a denial: nginx answers 500 where it gets a 400.
fn deny_invalid(error: IamError) -> IamError {
    match error {
        IamError::Invalid { message, .. } => refused(message),
        error => error,
    }
}

/// Creates the error of an ambiguous request.
pub(crate) fn refused(message: String) -> IamError {
    IamError::Refused(message)
}

/// Returns the value of a header that occurs exactly once.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Finds a header that could contradict the proxy's description.
///
/// A name with another mark than a dash is refused whatever it says: programs that make a variable of
/// a name take such a mark for a dash (RFC 3875, section 4.1.18), and gunicorn takes `SCRIPT_NAME` for
/// the part of the path that comes before the application.
fn misleading(headers: &HeaderMap, set: &[HeaderName]) -> Option<String> {
    let wrong = headers.keys().find(|&header| {
        let name = header.as_str();
        if name.contains(|one: char| !one.is_ascii_alphanumeric() && one != '-') {
            return true;
        }
        if !name.starts_with('x') || set.contains(header) {
            return false;
        }
        (name.starts_with(OURS) && name != MINIMUM_REVISION) || MISLEADING.contains(&name)
    });
    wrong.map(ToString::to_string)
}
