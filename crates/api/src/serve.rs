//! Serves requests, from routing to the response.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::header::{STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::{BoxError, Router, http};
use bytes::Bytes;
use gatewright_iam::limits::{ANONYMOUS_BODY_BYTES, BODY_BYTES, LOG_TEXT_BYTES, cut};
use gatewright_iam::{
    AuthenticationMark, BodyFailure, Call, Context, Iam, IamError, IdempotencyKey, Mismatch,
    Network, Principal, QueryId, Recipient, RequestConditions, TagMatch,
};
use ipnet::IpNet;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::authentication::authenticate;
use crate::destination::{Destination, Destinations};
use crate::edge::{client_ip, peer, read_body};
use crate::endpoint::{Authenticated, Function, Handler, Public};
use crate::error::ApiError;
use crate::forward_auth::{self, ProxyRequest};
use crate::meter::Meter;
use crate::openapi::Documents;
use crate::operation::{Authentication, Cost, Declaration, Operation};
use crate::operations::operations;
use crate::panics::NoResponse;
use crate::query::Query;
use crate::request::{Request, RequestContext, ThreadIam};
use crate::response::{REVISION, Response};
use crate::route::{Found, find};
use crate::{idempotency_key, precondition};

/// The response header with the query ID, the identifier of the request in the log.
const QUERY_ID: HeaderName = HeaderName::from_static("x-ovh-queryid");

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The length of a query ID.
const QUERY_ID_LENGTH: usize = 39;

/// The options of the API's network side.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

/// The API: its operations and their state. Clones share it.
#[derive(Clone)]
pub struct Api {
    iam: ThreadIam,
    options: Options,
    operations: Arc<[Operation]>,
    destinations: Arc<Destinations>,
    documents: Documents,
    meter: Arc<Meter>,
    /// The policy that browsers use HTTPS alone, if there is one.
    hsts: Option<HeaderValue>,
}

impl Api {
    /// Creates the API on top of the use cases.
    pub fn new(iam: Arc<Iam>, options: Options) -> Self {
        let operations = operations();
        let documents = Documents::of(&operations, &iam.settings().public_url);
        let destinations = Arc::new(Destinations::of(&operations));
        let operations = operations.into();
        let hsts = iam.settings().hsts().map(HeaderValue::from_static);
        let meter = Arc::new(Meter::new());
        let iam = Arc::new(iam);
        Self { iam, options, operations, destinations, documents, meter, hsts }
    }

    /// Returns the same API for another thread, which counts references by itself.
    #[must_use]
    pub fn for_thread(&self) -> Self {
        Self { iam: Arc::new(Arc::clone(&self.iam)), ..self.clone() }
    }

    /// Generates the query ID of a request.
    pub fn new_query_id(&self) -> QueryId {
        self.iam.new_query_id()
    }

    /// Returns the destination of the requests for a path.
    pub fn destination(&self, path: &str) -> Destination {
        self.destinations.find(path)
    }

    /// Adds the pending responses to the metrics.
    pub fn flush_metrics(&self) {
        self.meter.flush();
    }
}

/// Returns the router of the API.
pub fn router(api: Arc<Api>) -> Router {
    Router::new().fallback(fall_back).with_state(api)
}

async fn fall_back(
    State(api): State<Arc<Api>>,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, Infallible> {
    let (peer, query_id) = (peer(request.extensions()), request.extensions().get().copied());
    let query_id = query_id.unwrap_or_else(|| api.new_query_id());
    Ok(serve(&api, (query_id, peer), request).await)
}

/// Serves a request, with its query ID, from a client address.
pub async fn serve<B>(
    api: &Api,
    (query_id, peer): (QueryId, Option<SocketAddr>),
    request: http::Request<B>,
) -> http::Response<Body>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let ip = client_ip(peer, &parts.headers, &api.options.trusted_proxies);
    let context = RequestContext::new(&api.iam, query_id, ip);
    let (operation, parameters) = match find(&api.operations, &parts.method, parts.uri.path()) {
        Found::Operation(operation, parameters) => (operation, parameters),
        Found::OtherMethod(allowed) => {
            let admitted = api.iam.admit_anonymous(ip).map_err(ApiError::from);
            let result = admitted.and(Err(ApiError::wrong_method(&allowed)));
            return finish_without_operation(api, context, &parts, result);
        }
        Found::Nothing => {
            let admitted = api.iam.admit_anonymous(ip).map_err(ApiError::from);
            let result = admitted.and_then(|()| api.documents.respond(parts.uri.path()));
            return finish_without_operation(api, context, &parts, result);
        }
    };
    let span = span(operation, context.query_id);
    match &operation.handler {
        Handler::Proxy(protocol) => {
            let request = ProxyRequest { parts: &parts, context };
            let respond = forward_auth::respond(&api.iam, *protocol, &request);
            let result = respond.instrument(span.clone()).await;
            let asked = (&parts.method, parts.uri.path());
            span.in_scope(|| finish(api, context, Some(operation), asked, result))
        }
        // Boxed, so that the requests of proxies do not pay for the size of this future.
        Handler::Function(function) => {
            let (method, uri) = (parts.method.clone(), parts.uri.clone());
            let matched = Matched { operation, parameters, context, parts };
            let answer = matched.answer(api, function, body);
            let result = Box::pin(answer.instrument(span.clone())).await;
            let asked = (&method, uri.path());
            span.in_scope(|| finish(api, context, Some(operation), asked, result))
        }
    }
}

/// Opens the span of a request. Requests that are answered from memory are the most frequent, so
/// their span is at debug level.
fn span(operation: &Operation, query_id: QueryId) -> Span {
    let Declaration { method, path, cost, .. } = &operation.declared;
    let operation = format_args!("{method} {path}");
    match cost {
        Cost::Memory => tracing::debug_span!("request", %query_id, account = Empty, %operation),
        Cost::Database => tracing::info_span!("request", %query_id, account = Empty, %operation),
    }
}

/// Finishes a request for which there is no operation: its span has the method alone.
fn finish_without_operation(
    api: &Api,
    context: RequestContext,
    Parts { method, uri, .. }: &Parts,
    result: Result<Response, ApiError>,
) -> http::Response<Body> {
    let query_id = context.query_id;
    let span = tracing::info_span!("request", %query_id, account = Empty, operation = %method);
    span.in_scope(|| finish(api, context, None, (method, uri.path()), result))
}

/// A request whose operation is found.
struct Matched<'o> {
    operation: &'o Operation,
    parameters: Vec<String>,
    context: RequestContext,
    parts: Parts,
}

impl Matched<'_> {
    async fn answer<B>(self, api: &Api, function: &Function, body: B) -> Result<Response, ApiError>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
    {
        match function {
            Function::Public(handler) => self.answer_public(api, handler, body).await,
            Function::Authenticated(handler) => self.answer_authenticated(api, handler, body).await,
        }
    }

    async fn answer_public<B>(
        self,
        api: &Api,
        handler: &Public,
        body: B,
    ) -> Result<Response, ApiError>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
    {
        if self.operation.declared.authentication == Authentication::None {
            api.iam.admit_anonymous(self.context.ip)?;
        }
        let body = read_body(body, ANONYMOUS_BODY_BYTES).await?;
        handler(self.into_request(api), body).await
    }

    async fn answer_authenticated<B>(
        self,
        api: &Api,
        handler: &Authenticated,
        body: B,
    ) -> Result<Response, ApiError>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
    {
        let RequestContext { ip, query_id, now, .. } = self.context;
        let headers = &self.parts.headers;
        let (principal, revision) = authenticate(&api.iam, headers, &self.context).await?;
        if let Some(mark) = self.parts.extensions.get::<AuthenticationMark>() {
            mark.set();
        }
        let class = self.operation.declared.class();
        let rate_limit = api.iam.admit_request(class, &principal)?;
        api.iam.admit_growth(class, &principal)?;
        let body = read_body(body, BODY_BYTES).await?;
        let conditions = self.conditions(&principal, &body)?;
        let context = Context { principal: Arc::clone(&principal), ip, query_id, now, conditions };
        // A decision is logged as such, and its response carries the revision that it is based on.
        if self.operation.declared.is_read_only() && self.parts.method == Method::POST {
            let result = handler(context, self.into_request(api), body).await;
            let response = result.unwrap_or_else(|error| error.into_response(query_id));
            let response = response.at_revision(Some(revision));
            return Ok(response.sent_to(|| Recipient::Account(principal.account().clone())));
        }
        let route = self.operation.declared.path;
        let what = format!("{} {}", self.parts.method, self.parts.uri.path());
        let request = self.into_request(api);
        let user_agent = request.header("user-agent").map(str::to_owned);
        let result = handler(context.clone(), request, body).await;
        let status = result.as_ref().map_or_else(ApiError::status, Response::status).as_u16();
        let user_agent = user_agent.as_deref();
        api.iam.record(&context, Call { what, route, status, user_agent });
        let revision = api.iam.revision(principal.account());
        let response = result.unwrap_or_else(|error| error.into_response(query_id));
        let response = response.at_revision(revision).with_rate_limit(rate_limit.as_ref());
        Ok(response.sent_to(|| Recipient::Account(principal.account().clone())))
    }

    /// Reads the conditions under which the request makes its change.
    fn conditions(
        &self,
        principal: &Principal,
        body: &[u8],
    ) -> Result<Option<Arc<RequestConditions>>, IamError> {
        let (declared, headers) = (&self.operation.declared, &self.parts.headers);
        if declared.is_read_only() {
            return Ok(None);
        }
        let mut conditions = RequestConditions::default();
        let precondition = precondition::read(headers)?;
        if declared.is_conditional() {
            conditions.precondition = precondition;
        } else if matches!(precondition.if_match, Some(TagMatch::OneOf(_))) {
            // What is about to be created has no tag yet.
            return Err(IamError::PreconditionFailed(Mismatch::Created));
        }
        if declared.is_creation()
            && let Some(key) = idempotency_key::read(headers)?
        {
            let target = self.parts.uri.path_and_query().map_or("", |target| target.as_str());
            let request = [self.parts.method.as_str().as_bytes(), target.as_bytes(), body];
            let key = IdempotencyKey::new(&principal.identity, &key, &request);
            conditions.idempotency_key = Some(key);
        }
        Ok((conditions != RequestConditions::default()).then(|| Arc::new(conditions)))
    }

    fn into_request(self, api: &Api) -> Request {
        let RequestContext { ip, query_id, now, .. } = self.context;
        Request {
            iam: Arc::clone(&api.iam),
            parameters: self.parameters,
            query: Query::parse(self.parts.uri.query().unwrap_or_default()),
            headers: self.parts.headers,
            ip,
            query_id,
            now,
        }
    }
}

/// Counts and logs a response, and adds its query ID.
fn finish(
    api: &Api,
    RequestContext { started, query_id, ip, .. }: RequestContext,
    operation: Option<&Operation>,
    (method, path): (&Method, &str),
    result: Result<Response, ApiError>,
) -> http::Response<Body> {
    let response = result.unwrap_or_else(|error| error.into_response(query_id));
    let status = response.status();
    let is_read = operation.is_none_or(|operation| operation.declared.is_read_only());
    // Whoever is refused tokens or decisions could fill the log; repeated refusals of a client are
    // an event of their own.
    let is_frequent = operation.is_some_and(|operation| operation.declared.cost == Cost::Memory);
    if status.is_success() && is_read || status.is_client_error() && is_frequent {
        tracing::debug!(%query_id, %method, path = &*cut(path, LOG_TEXT_BYTES), %status);
    } else {
        tracing::info!(%query_id, %method, path = &*cut(path, LOG_TEXT_BYTES), %status);
    }
    let route = operation.map_or("", |operation| operation.declared.path);
    let duration = api.iam.monotonic().saturating_sub(started);
    api.meter.note(route, status, duration.as_secs_f64());
    let is_for_proxy = operation.is_some_and(|one| matches!(one.handler, Handler::Proxy(_)));
    let response = match ip {
        Some(ip) => response.sent_to(|| Recipient::Network(Network::of(ip))),
        None => response,
    };
    let response = with_query_id(response.into_http(), query_id);
    // A proxy may pass the headers on, to browsers of another host.
    if is_for_proxy { response } else { secured(response, api.hsts.as_ref()) }
}

/// Adds the headers by which a browser that reads the answer is careful.
fn secured(mut response: http::Response<Body>, hsts: Option<&HeaderValue>) -> http::Response<Body> {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    response
}

/// Returns the response to a request whose handler ended without one, and counts it. Why it ended is
/// in the log already.
pub fn failure_response(query_id: QueryId) -> http::Response<Body> {
    let error = ApiError::from(IamError::internal(NoResponse));
    let labels = [("route", String::new()), ("status", error.status().as_u16().to_string())];
    metrics::counter!("gatewright_http_requests_total", &labels).increment(1);
    let response = error.into_unlogged_response().no_store().into_http();
    // The request may be a proxy's, which may pass the headers on to browsers of another host.
    secured(with_query_id(response, query_id), None)
}

/// Returns the response in place of one that there is no memory for, and logs it. A change that has
/// succeeded stays.
pub fn refused_response(response: &http::Response<Body>) -> http::Response<Body> {
    let message = if response.status().is_success() {
        "Too many responses wait until their clients take them: try again, or request less at once. If this \
         was to change something, it is changed"
    } else {
        "Too many responses wait until their clients take them: try again"
    };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let error = ApiError::new(status, "Server::ServiceUnavailable", message)
        .with_header("retry-after", BodyFailure::RETRY_AFTER.to_string());
    let query_id = response.headers().get(QUERY_ID).and_then(|id| id.to_str().ok());
    tracing::error!(query_id, %status, cause = "there is no memory for the response", "failed");
    let mut refused = error.into_unlogged_response().no_store().into_http();
    for name in [QUERY_ID, REVISION, STRICT_TRANSPORT_SECURITY] {
        if let Some(value) = response.headers().get(&name) {
            refused.headers_mut().insert(name, value.clone());
        }
    }
    secured(refused, None)
}

fn with_query_id(mut response: http::Response<Body>, query_id: QueryId) -> http::Response<Body> {
    let mut name = String::with_capacity(QUERY_ID_LENGTH);
    let written = write!(name, "{query_id}");
    if let (Ok(()), Ok(value)) = (written, HeaderValue::try_from(name)) {
        response.headers_mut().insert(QUERY_ID, value);
    }
    response
}
