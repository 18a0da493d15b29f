//! `/forward-auth/{proxy}/{api}` and `/ext-authz/{api}/…`: whether a proxy may let a request pass to a
//! guarded API.
//!
//! Proxies hand the headers of their clients on, so whatever they say of the request is taken from
//! the one header that the kind of proxy sets, and whoever sends another one to the same end is
//! refused. Answers are 200, 401 and 403 alone: nginx makes an error of anything else.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use gatewright_iam::{Iam, IamError, Passage, QueryId, Refusal};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::serve::{AT_LEAST, bearer};

/// How a kind of proxy tells of a request.
struct Proxy {
    name: &'static str,
    method: &'static str,
    target: &'static str,
}

const PROXIES: [Proxy; 3] = [
    Proxy { name: "nginx", method: "x-original-method", target: "x-original-uri" },
    Proxy { name: "traefik", method: "x-forwarded-method", target: "x-forwarded-uri" },
    Proxy { name: "caddy", method: "x-forwarded-method", target: "x-forwarded-uri" },
];

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
pub(crate) const FORWARD_AUTH: &str = "/forward-auth/";
pub(crate) const FORWARD_AUTH_CALL: &str = "/forward-auth/{proxy}/{api}";

/// Below it Envoy asks over HTTP: in the method of the request, and with its path after the API's name.
pub(crate) const EXT_AUTHZ: &str = "/ext-authz/";
pub(crate) const EXT_AUTHZ_CALL: &str = "/ext-authz/{api}/{target}";

/// The headers by which an API hears who calls, and how fresh the decision is.
const IDENTITY: HeaderName = HeaderName::from_static("x-gatewright-identity");
const ACCOUNT: HeaderName = HeaderName::from_static("x-gatewright-account");
const TOKEN: HeaderName = HeaderName::from_static("x-gatewright-token");
const REVISION: HeaderName = HeaderName::from_static("x-gatewright-revision");

/// How the headers begin by which an API hears who calls.
const OURS: &str = "x-gatewright-";

/// What a proxy says of a request.
pub(crate) struct Asked<'a> {
    pub(crate) api: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// Those of the client, and those that the proxy set.
    pub(crate) headers: &'a HeaderMap,
    /// The names of those that the proxy set.
    pub(crate) set: &'a [&'a str],
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: i64,
}

pub(crate) async fn pass(visit: Visit) -> Result<Answer, ApiError> {
    let answer = ask_for(&visit).await.or_else(|error| refuse(&visit, error))?;
    Ok(answer.unstored())
}

async fn ask_for(visit: &Visit) -> Result<Answer, Refusal> {
    let name = visit.parameter(0);
    let proxy = PROXIES.iter().find(|proxy| proxy.name == name);
    let proxy = proxy.ok_or_else(|| refused(format!("{name} is none of nginx, traefik, caddy")))?;
    let only = |name: &'static str| {
        single(&visit.headers, name).ok_or_else(|| {
            refused(format!(
                "the proxy must set {name}, once: see the documentation of {}",
                proxy.name
            ))
        })
    };
    let asked = Asked {
        api: visit.parameter(1),
        method: only(proxy.method)?,
        target: only(proxy.target)?,
        headers: &visit.headers,
        set: &[proxy.method, proxy.target],
        ip: visit.ip,
        query_id: visit.query_id,
        now: visit.now,
    };
    answer(visit, asked).await
}

pub(crate) async fn pass_envoy(visit: Visit) -> Result<Answer, ApiError> {
    let answer = ask_for_envoy(&visit).await.or_else(|error| refuse(&visit, error))?;
    Ok(answer.unstored())
}

async fn ask_for_envoy(visit: &Visit) -> Result<Answer, Refusal> {
    let whole = visit.uri.path_and_query().map_or("", |target| target.as_str());
    let rest = whole.strip_prefix(EXT_AUTHZ).unwrap_or_default();
    let (api, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let asked = Asked {
        api,
        method: visit.method.as_str(),
        target,
        headers: &visit.headers,
        set: &[],
        ip: visit.ip,
        query_id: visit.query_id,
        now: visit.now,
    };
    answer(visit, asked).await
}

async fn answer(visit: &Visit, asked: Asked<'_>) -> Result<Answer, Refusal> {
    let said = ask(&visit.iam, asked).await?;
    Ok(Answer::saying(said))
}

/// What an API is to hear of who calls it, or why they do not pass. All headers always, so that a
/// proxy overwrites what its client made up.
pub(crate) async fn ask(iam: &Iam, asked: Asked<'_>) -> Result<Vec<(HeaderName, String)>, Refusal> {
    let headers = asked.headers;
    if let Some(misleading) = misleading(headers, asked.set) {
        return Err(refused(format!("the request must not have a header {misleading}")).into());
    }
    let token = bearer(headers);
    let passage = Passage {
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
    let passenger = iam.pass(passage).await?;
    let (urn, account, token) = passenger.as_ref().map_or(("", "", ""), |one| {
        (one.principal.identity.urn(), one.principal.account(), &*one.token)
    });
    let mut said =
        vec![(IDENTITY, urn.to_owned()), (ACCOUNT, account.to_owned()), (TOKEN, token.to_owned())];
    if let Some(one) = &passenger {
        said.push((REVISION, one.revision.to_string()));
    }
    Ok(said)
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
fn refuse(visit: &Visit, Refusal { error, revision }: Refusal) -> Result<Answer, ApiError> {
    // What is not known is not allowed, and is told apart by proxies that can.
    let Some(missing) = missing(&error) else { return Err(error.into()) };
    let message = error.to_string();
    let answer = ApiError::from(error).into_answer();
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Ok(answer);
    }
    tracing::debug!(query_id = %visit.query_id, message, "does not pass");
    // nginx drops the body of a refusal.
    Ok(answer
        .with("x-gatewright-missing", &missing.join(","))
        .with("x-gatewright-reason", &message)
        .made_at(revision))
}

fn refused(message: String) -> IamError {
    IamError::Refused(message)
}

/// The value of a header that is there once.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A header by which something else could be meant than what the proxy says. Some programs take an
/// underscore for a dash.
fn misleading(headers: &HeaderMap, set: &[&str]) -> Option<String> {
    let wrong = headers.keys().map(HeaderName::as_str).find(|&name| {
        if !name.starts_with('x') || set.contains(&name) {
            return false;
        }
        let plain = if name.contains('_') {
            Cow::Owned(name.replace('_', "-"))
        } else {
            Cow::Borrowed(name)
        };
        (plain.starts_with(OURS) && name != AT_LEAST) || MISLEADING.contains(&&*plain)
    });
    wrong.map(str::to_owned)
}
