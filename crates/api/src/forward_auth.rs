//! `/forward-auth/{proxy}/{api}` and `/ext-authz/{api}/…`: tells a proxy whether to forward a
//! request to a guarded API.
//!
//! A decision is answered with 200, 401 or 403, because nginx treats every other status as a
//! failure. A failure (503 if the database cannot be reached, else 500) forwards nothing either.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use gatewright_iam::{Iam, IamError, QueryId, Refusal};

use crate::error::ApiError;
use crate::operation::Operation;
use crate::original_request::{OriginalRequest, authorize, missing_actions, refused, single};
use crate::proxy_protocol::{EXT_AUTHZ, FORWARD_AUTH, Proxy, ProxyProtocol};
use crate::request::RequestContext;
use crate::response::Response;

/// Declares the operations of proxies.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/forward-auth/{proxy}/{api}",
            "Authorize a request to a guarded API (forward auth)",
        )
        .extension()
        .answered_from_memory()
        .handle_proxy(ProxyProtocol::ForwardAuth),
        Operation::get(
            "/ext-authz/{api}/{target}",
            "Authorize a request to a guarded API (Envoy ext_authz over HTTP)",
        )
        .extension()
        .answered_from_memory()
        .handle_proxy(ProxyProtocol::ExtAuthz),
    ]
}

/// A request from a proxy.
pub(crate) struct ProxyRequest<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) context: RequestContext,
}

/// Answers a proxy.
pub(crate) async fn respond(
    iam: &Arc<Iam>,
    protocol: ProxyProtocol,
    request: &ProxyRequest<'_>,
) -> Result<Response, ApiError> {
    let original = match protocol {
        ProxyProtocol::ForwardAuth => from_headers(request),
        ProxyProtocol::ExtAuthz => Ok(from_request_line(request)),
    };
    let authorized = match original {
        Ok(original) => authorize(iam, &original).await,
        Err(error) => Err(error.into()),
    };
    let authorized = authorized.map_err(|refusal| for_proxy(request, refusal));
    let query_id = request.context.query_id;
    let response =
        authorized.map(Response::with_headers).or_else(|refusal| refuse(query_id, refusal))?;
    Ok(response.no_store())
}

/// Reads the original request of forward auth from its headers.
fn from_headers<'a>(request: &ProxyRequest<'a>) -> Result<OriginalRequest<'a>, IamError> {
    let ProxyRequest { parts, context: RequestContext { ip, query_id, now, .. } } = *request;
    let (name, api) = proxy_and_api(parts);
    let proxy = Proxy::find(name)
        .ok_or_else(|| refused(format!("{name} is none of nginx, traefik, caddy")))?;
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

/// Returns the names of the proxy and of the guarded API in the path of forward auth.
fn proxy_and_api(parts: &Parts) -> (&str, &str) {
    let rest = parts.uri.path().strip_prefix(FORWARD_AUTH).unwrap_or_default();
    rest.trim_end_matches('/').split_once('/').unwrap_or((rest, ""))
}

/// Reads the original request of `ext_authz` over HTTP from the request line.
fn from_request_line<'a>(request: &ProxyRequest<'a>) -> OriginalRequest<'a> {
    let ProxyRequest { parts, context: RequestContext { ip, query_id, now, .. } } = *request;
    let whole = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let rest = whole.strip_prefix(EXT_AUTHZ).unwrap_or_default();
    let (api, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (method, headers) = (parts.method.as_str(), &parts.headers);
    OriginalRequest { api, method, target, headers, set: &[], ip, query_id, now }
}

/// Turns a refusal for the rate of requests into a denial for a proxy that does not know its status.
fn for_proxy(request: &ProxyRequest<'_>, Refusal { error, revision }: Refusal) -> Refusal {
    let proxy = Proxy::find(proxy_and_api(request.parts).0);
    let error = match error {
        error @ IamError::RateLimited(_) if proxy.is_some_and(|one| !one.passes_429) => {
            refused(error.to_string())
        }
        error => error,
    };
    Refusal { error, revision }
}

/// Builds the denial that the proxy understands.
fn refuse(query_id: QueryId, Refusal { error, revision }: Refusal) -> Result<Response, ApiError> {
    // A failure is not a denial: it keeps its own status, and forwards nothing either.
    let Some(missing) = missing_actions(&error) else { return Err(error.into()) };
    let message = error.to_string();
    let response = ApiError::from(error).into_response(query_id);
    if response.status() == StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    tracing::debug!(%query_id, reason = message, "forwarded request denied");
    // The missing actions are sent as a header, since nginx drops the body.
    Ok(response
        .with("x-gatewright-missing", missing.join(","))
        .with("x-gatewright-reason", &message)
        .at_revision(revision))
}
