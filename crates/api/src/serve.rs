//! From a request to its response.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method};
use axum::{BoxError, Router, http};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use gatewright_iam::{Call, Context, Iam, IamError, QueryId};
use http_body_util::BodyExt;
use ipnet::IpNet;

use crate::error::ApiError;
use crate::forward_auth::{ProxyProtocol, ProxyRequest, pass};
use crate::meter::Meter;
use crate::openapi::document;
use crate::operation::{Handler, Operation, Tree};
use crate::query::Query;
use crate::request::Request;
use crate::response::Response;
use crate::route::{Found, find};
use crate::table::table;

/// No body may be longer.
pub(crate) const MAX_BODY: usize = 2 << 20;

/// So much of a longer one is read and dropped, so that its sender gets to read the refusal.
const MAX_DROPPED: usize = 32 << 20;

/// A body must arrive within this time.
const BODY_TIME: Duration = Duration::from_secs(30);

/// By this, a caller demands that changes up to a revision are followed.
pub(crate) const MINIMUM_REVISION: HeaderName = HeaderName::from_static("x-gatewright-at-least");

/// What the request is called in the log.
const QUERY_ID: HeaderName = HeaderName::from_static("x-ovh-queryid");

/// How long that is.
const QUERY_ID_LENGTH: usize = 39;

/// How the names of users begin whose password is a personal access token.
const TOKEN_USER: &str = "pat_jwt_";

/// How the API is reached.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// The API: its calls, and what answers them. A clone is the same API.
#[derive(Clone)]
pub struct Api {
    iam: Arc<Iam>,
    options: Options,
    table: Arc<[Operation]>,
    documents: Arc<[(&'static str, String)]>,
    meter: Meter,
}

impl Api {
    /// An API on these use cases.
    pub fn new(iam: Arc<Iam>, options: Options) -> Self {
        let table = table();
        let url = &iam.settings().public_url;
        let documents = [
            ("v1", Tree::V1, format!("{url}/v1")),
            ("v2", Tree::V2, format!("{url}/v2")),
            ("oauth2", Tree::Root, url.clone()),
        ];
        let documents = documents
            .map(|(name, tree, server)| (name, document(&table, tree, &server).to_string()));
        let (table, documents) = (table.into(), Arc::new(documents));
        Self { iam, options, table, documents, meter: Meter::new() }
    }

    /// Counts what was answered until now, for those who watch the server.
    pub fn flush_metrics(&self) {
        self.meter.flush();
    }
}

/// Answers every request of the API.
pub fn router(api: Arc<Api>) -> Router {
    Router::new().fallback(fall_back).with_state(api)
}

async fn fall_back(
    State(api): State<Arc<Api>>,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, Infallible> {
    let peer = peer(request.extensions());
    Ok(serve(&api, peer, request).await)
}

/// Answers a request from some address.
pub async fn serve<B>(
    api: &Api,
    peer: Option<SocketAddr>,
    request: http::Request<B>,
) -> http::Response<Body>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let ip = client_ip(peer, &parts.headers, &api.options.trusted_proxies);
    let (query_id, now) = (api.iam.new_query_id(), api.iam.now());
    let context = RequestContext { started, ip, query_id, now };
    // What it takes to read a body and to find a call, only those pay for who need it.
    if let Some(protocol) = ProxyProtocol::of(&parts.method, parts.uri.path()) {
        return serve_proxy(api, context, protocol, &parts).await;
    }
    Box::pin(serve_call(api, context, parts, Body::new(body))).await
}

/// Who sends a request, and when.
#[derive(Clone, Copy)]
struct RequestContext {
    started: Instant,
    ip: Option<IpAddr>,
    query_id: QueryId,
    now: i64,
}

impl RequestContext {
    fn request(self, parts: &Parts) -> ProxyRequest<'_> {
        let Self { ip, query_id, now, .. } = self;
        ProxyRequest { parts, ip, query_id, now }
    }
}

async fn serve_proxy(
    api: &Api,
    context: RequestContext,
    protocol: ProxyProtocol,
    parts: &Parts,
) -> http::Response<Body> {
    let result = pass(&api.iam, protocol, &context.request(parts)).await;
    let operation =
        api.table.iter().find(|one| matches!(one.handler, Handler::Proxy(of) if of == protocol));
    finish(api, context, operation, (&parts.method, parts.uri.path()), result)
}

async fn serve_call(
    api: &Api,
    context: RequestContext,
    parts: Parts,
    body: Body,
) -> http::Response<Body> {
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let (operation, result) = match find(&api.table, &method, uri.path()) {
        Found::Call(operation, parameters) => {
            let result = call(api, context, operation, parameters, parts, body).await;
            (Some(operation), result)
        }
        Found::OtherMethod(allowed) => (None, Err(ApiError::wrong_method(&allowed))),
        Found::Nothing => (None, api.openapi(uri.path())),
    };
    finish(api, context, operation, (&method, uri.path()), result)
}

/// Counts and logs what was answered.
fn finish(
    api: &Api,
    RequestContext { started, query_id, .. }: RequestContext,
    operation: Option<&Operation>,
    (method, path): (&Method, &str),
    result: Result<Response, ApiError>,
) -> http::Response<Body> {
    let response = result.unwrap_or_else(ApiError::into_response);
    let status = response.status();
    if status.is_success() && operation.is_none_or(|operation| operation.read_only) {
        tracing::debug!(%query_id, %method, path, %status);
    } else {
        tracing::info!(%query_id, %method, path, %status);
    }
    let route = operation.map_or("", |operation| operation.path);
    api.meter.note(route, status, started.elapsed().as_secs_f64());
    let mut response = response.into_response();
    let mut name = String::with_capacity(QUERY_ID_LENGTH);
    let written = write!(name, "{query_id}");
    if let (Ok(()), Ok(value)) = (written, HeaderValue::try_from(name)) {
        response.headers_mut().insert(QUERY_ID, value);
    }
    response
}

async fn call(
    api: &Api,
    context: RequestContext,
    operation: &Operation,
    parameters: Vec<String>,
    parts: Parts,
    body: Body,
) -> Result<Response, ApiError> {
    let RequestContext { ip, query_id, now, .. } = context;
    if let Handler::Proxy(protocol) = operation.handler {
        return pass(&api.iam, protocol, &context.request(&parts)).await;
    }
    wait_for_revision(&api.iam, &parts.headers).await?;
    let principal = match operation.handler {
        Handler::Authenticated(_) => {
            Some(api.iam.authenticate(&bearer(&parts.headers)?, now).await?)
        }
        _ => None,
    };
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let request = Request {
        iam: Arc::clone(&api.iam),
        parameters,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        body: read(&parts, body).await?,
        headers: parts.headers,
        ip,
        query_id,
        now,
    };
    match (operation.handler, principal) {
        (Handler::Public(handler), _) => handler(request).await,
        (Handler::Authenticated(handler), Some(principal)) => {
            let context = Context { principal, ip, query_id, now };
            let account = context.account().to_owned();
            let revision = || api.iam.revision(&account);
            // A question for decisions is in the log of these, and has a response that is no newer
            // than what it was made from.
            if operation.read_only && method == Method::POST {
                let revision = revision();
                let result = handler(context, request).await;
                return Ok(result.unwrap_or_else(ApiError::into_response).at_revision(revision));
            }
            let user_agent = request.header("user-agent").map(str::to_owned);
            let result = handler(context.clone(), request).await;
            let status = result.as_ref().map_or_else(ApiError::status, Response::status);
            let what = format!("{method} {}", uri.path());
            let (route, status) = (operation.path, status.as_u16());
            let user_agent = user_agent.as_deref();
            api.iam.record(&context, Call { what, route, status, user_agent });
            Ok(result.unwrap_or_else(ApiError::into_response).at_revision(revision()))
        }
        (Handler::Authenticated(_) | Handler::Proxy(_), _) => Err(IamError::NoCredentials.into()),
    }
}

/// Follows the changes that a caller demands to be followed.
pub(crate) async fn wait_for_revision(iam: &Iam, headers: &HeaderMap) -> Result<(), IamError> {
    for text in headers.get_all(MINIMUM_REVISION) {
        for revision in text.to_str().unwrap_or_default().split(',') {
            // Seldom needed, and large.
            Box::pin(iam.wait_for_revision(&revision.parse()?)).await?;
        }
    }
    Ok(())
}

/// The token that a request brings: as it is, or as the password of a user `pat_jwt_…`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Cow<'_, str>, IamError> {
    let mut headers = headers.get_all(AUTHORIZATION).into_iter();
    let header = headers.next().ok_or(IamError::NoCredentials)?;
    // Two are one too many to know which counts.
    if headers.next().is_some() {
        return Err(IamError::BadCredential);
    }
    let text = header.to_str().map_err(|_| IamError::BadCredential)?;
    let (scheme, token) = text.split_once(' ').ok_or(IamError::NoCredentials)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(token.trim().into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(IamError::NoCredentials);
    }
    let text = BASE64_STANDARD.decode(token.trim()).map_err(|_| IamError::BadCredential)?;
    let text = String::from_utf8(text).map_err(|_| IamError::BadCredential)?;
    match text.split_once(':') {
        Some((user, token)) if user.starts_with(TOKEN_USER) => Ok(token.to_owned().into()),
        _ => Err(IamError::NoCredentials),
    }
}

async fn read(parts: &Parts, mut body: Body) -> Result<Bytes, ApiError> {
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    if announced == Some(0) || body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if announced.is_some_and(|length| length > MAX_DROPPED) {
        return Err(ApiError::too_large(MAX_BODY));
    }
    let reading = async {
        let mut whole = BytesMut::new();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::cut_short())?;
            let Some(data) = frame.data_ref() else { continue };
            length += data.len();
            if length <= MAX_BODY {
                whole.extend_from_slice(data);
            } else if length > MAX_DROPPED {
                break;
            }
        }
        if length > MAX_BODY { Err(ApiError::too_large(MAX_BODY)) } else { Ok(whole.freeze()) }
    };
    tokio::time::timeout(BODY_TIME, reading).await.unwrap_or_else(|_| Err(ApiError::too_slow()))
}

/// The address that a connection comes from.
fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Where a request comes from: the peer, or what trusted proxies say of it.
pub fn client_ip(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let peer = peer?;
    let mut ip = peer.ip().to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|block| block.contains(ip));
    if !is_trusted(&ip) {
        return Some(ip);
    }
    let headers = headers.get_all("x-forwarded-for");
    let texts = headers.iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = texts.flat_map(|text| text.split(',')).collect();
    // Each proxy adds the address that it saw at the end; only trusted ones are believed.
    for hop in hops.iter().rev() {
        let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
        ip = next.to_canonical();
        if !is_trusted(&ip) {
            break;
        }
    }
    Some(ip)
}

impl Api {
    /// The OpenAPI documents and their list.
    fn openapi(&self, path: &str) -> Result<Response, ApiError> {
        let path = path.trim_matches('/');
        let Some(name) = path.strip_prefix("openapi") else {
            return Err(ApiError::no_route());
        };
        let name = name.trim_start_matches('/').trim_end_matches(".json");
        if name.is_empty() {
            let url = &self.iam.settings().public_url;
            let urls = self.documents.iter().map(|(name, _)| format!("{url}/openapi/{name}.json"));
            return Ok(Response::json(&urls.collect::<Vec<_>>()));
        }
        let document = self.documents.iter().find(|(one, _)| *one == name);
        let (_, text) = document.ok_or_else(ApiError::no_route)?;
        Ok(Response::raw(text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
        }
        client_ip(Some(peer), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        assert_eq!(ip("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(ip("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", &["6.6.6.6, 198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(ip("10.0.0.1", &[]), "10.0.0.1");
    }
}
