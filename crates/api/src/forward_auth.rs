//! `/forward-auth/{proxy}/{api}` and `/ext-authz/{api}/…`: whether a proxy may let a request pass to a
//! guarded API.
//!
//! Proxies hand the headers of their clients on, so whatever they say of the request is taken from
//! the one header that the kind of proxy sets, and whoever sends another one to the same end is
//! refused. Answers are 200, 401 and 403 alone: nginx makes an error of anything else.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use axum::http::header::{AsHeaderName, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::BytesMut;
use gatewright_iam::{AuthorizedCaller, ForwardedRequest, Iam, IamError, QueryId, Refusal};

use crate::error::ApiError;
use crate::response::Response;
use crate::serve::{MINIMUM_REVISION, bearer, wait_for_revision};

/// How a kind of proxy tells of a request.
struct Proxy {
    name: &'static str,
    /// The header that holds its method, and the one that holds its target.
    sets: [HeaderName; 2],
}

static PROXIES: [Proxy; 3] = [
    Proxy { name: "nginx", sets: ORIGINAL },
    Proxy { name: "traefik", sets: FORWARDED },
    Proxy { name: "caddy", sets: FORWARDED },
];

const ORIGINAL: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-original-uri")];
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-forwarded-uri")];

/// By these, a proxy or an API may take a request for another one.
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

/// Below it proxies ask: their kind and the API's name follow.
const FORWARD_AUTH: &str = "/forward-auth/";

/// Below it Envoy asks over HTTP: in the method of the request, and with its path after the API's name.
const EXT_AUTHZ: &str = "/ext-authz/";

/// The headers by which an API hears who calls, and how fresh the decision is.
const IDENTITY: HeaderName = HeaderName::from_static("x-gatewright-identity");
const ACCOUNT: HeaderName = HeaderName::from_static("x-gatewright-account");
const TOKEN: HeaderName = HeaderName::from_static("x-gatewright-token");
const REVISION: HeaderName = HeaderName::from_static("x-gatewright-revision");

/// A response has so many headers, with those that every response has.
const HEADERS: usize = 8;

/// How the headers begin by which an API hears who calls.
const OURS: &str = "x-gatewright-";

/// What a proxy says of a request.
pub(crate) struct OriginalRequest<'a> {
    pub(crate) api: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// Those of the client, and those that the proxy set.
    pub(crate) headers: &'a HeaderMap,
    /// The names of those that the proxy set.
    pub(crate) set: &'a [HeaderName],
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: i64,
}

/// How a proxy asks over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    /// It tells of the request in headers.
    ForwardAuth,
    /// It asks in the place of the request.
    Envoy,
}

impl ProxyProtocol {
    /// Which of them a request is, if any: what is said follows as it came, and is not looked up
    /// among the other calls.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if path.starts_with(EXT_AUTHZ) {
            return Some(Self::Envoy);
        }
        let looks = *method == Method::GET || *method == Method::HEAD;
        (looks && path.starts_with(FORWARD_AUTH)).then_some(Self::ForwardAuth)
    }
}

/// A proxy's request.
pub(crate) struct ProxyRequest<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: i64,
}

/// Answers a proxy.
pub(crate) async fn pass(
    iam: &Iam,
    protocol: ProxyProtocol,
    request: &ProxyRequest<'_>,
) -> Result<Response, ApiError> {
    let asked = match protocol {
        ProxyProtocol::ForwardAuth => from_headers(request),
        ProxyProtocol::Envoy => Ok(from_request_line(request)),
    };
    let said = match asked {
        Ok(asked) => ask(iam, &asked).await,
        Err(error) => Err(error.into()),
    };
    let query_id = request.query_id;
    let response = said.map(Response::with_headers).or_else(|refusal| refuse(query_id, refusal))?;
    Ok(response.no_store())
}

fn from_headers<'a>(request: &ProxyRequest<'a>) -> Result<OriginalRequest<'a>, IamError> {
    let ProxyRequest { parts, ip, query_id, now } = *request;
    let rest = parts.uri.path().strip_prefix(FORWARD_AUTH).unwrap_or_default();
    let (name, api) = rest.trim_end_matches('/').split_once('/').unwrap_or((rest, ""));
    let proxy = PROXIES.iter().find(|proxy| proxy.name == name);
    let proxy = proxy.ok_or_else(|| refused(format!("{name} is none of nginx, traefik, caddy")))?;
    let only = |name: &HeaderName| {
        single(&parts.headers, name).ok_or_else(|| {
            refused(format!(
                "the proxy must set {name}, once: see the documentation of {}",
                proxy.name
            ))
        })
    };
    let [method, target] = &proxy.sets;
    let (method, target) = (only(method)?, only(target)?);
    let (headers, set) = (&parts.headers, &proxy.sets[..]);
    Ok(OriginalRequest { api, method, target, headers, set, ip, query_id, now })
}

fn from_request_line<'a>(request: &ProxyRequest<'a>) -> OriginalRequest<'a> {
    let ProxyRequest { parts, ip, query_id, now } = *request;
    let whole = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let rest = whole.strip_prefix(EXT_AUTHZ).unwrap_or_default();
    let (api, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (method, headers) = (parts.method.as_str(), &parts.headers);
    OriginalRequest { api, method, target, headers, set: &[], ip, query_id, now }
}

/// What an API is to hear of who calls it, or why they do not pass.
pub(crate) async fn ask(iam: &Iam, asked: &OriginalRequest<'_>) -> Result<HeaderMap, Refusal> {
    let headers = asked.headers;
    wait_for_revision(iam, headers).await?;
    if let Some(misleading) = misleading(headers, asked.set) {
        return Err(refused(format!("the request must not have a header {misleading}")).into());
    }
    let token = bearer(headers);
    let forwarded = ForwardedRequest {
        api: asked.api,
        method: asked.method,
        target: asked.target,
        header: &|name| single(headers, name),
        upgrades: headers.contains_key(UPGRADE),
        token: token.as_deref().map_err(IamError::again),
        ip: asked.ip,
        query_id: asked.query_id,
        now: asked.now,
    };
    let caller = iam.authorize_forwarded(&forwarded).await?;
    Ok(identity_headers(caller.as_ref()))
}

/// Tells of somebody in headers, or of nobody. All that say who it is are there always, so that a
/// proxy overwrites what its client made up.
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

/// The actions that somebody lacks; none where this is no refusal, but a failure.
pub(crate) fn missing(error: &IamError) -> Option<Vec<String>> {
    match error {
        IamError::Forbidden { by_policy, by_scope } => Some([&**by_policy, by_scope].concat()),
        IamError::NoCredentials | IamError::BadCredential | IamError::Refused(_) => {
            Some(Vec::new())
        }
        _ => None,
    }
}

/// A refusal as proxies understand it.
fn refuse(query_id: QueryId, Refusal { error, revision }: Refusal) -> Result<Response, ApiError> {
    // What is not known is not allowed, and is told apart by proxies that can.
    let Some(missing) = missing(&error) else { return Err(error.into()) };
    let message = error.to_string();
    let response = ApiError::from(error).into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    tracing::debug!(%query_id, message, "does not pass");
    // nginx drops the body of a refusal.
    Ok(response
        .with("x-gatewright-missing", &missing.join(","))
        .with("x-gatewright-reason", &message)
        .at_revision(revision))
}

fn refused(message: String) -> IamError {
    IamError::Refused(message)
}

/// The value of a header that is there once.
fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A header by which something else could be meant than what the proxy says. Some programs take an
/// underscore for a dash.
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
