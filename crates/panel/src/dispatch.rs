//! Dispatcher: checks session and CSRF token, calls the handler, renders the page of an error.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use gatewright_iam::limits::{
    ANONYMOUS_BODY_BYTES, BODY_BYTES, LOG_TEXT_BYTES, SIGN_IN_FORM_BYTES, cut,
};
use gatewright_iam::{AuthenticationMark, Call, CauseChain, IamError, QueryId, SessionAccess};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use zeroize::Zeroize;

use crate::cookies::FormCookie;
use crate::error::PageError;
use crate::fields::{Fields, encoded};
use crate::pages::{confirm, error, resume, second_factor, sign_in};
use crate::panel::Panel;
use crate::pending_form::PendingForm;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::{Access, Route};

/// Answers a request by the handler of its route, or with the page of an error.
pub(crate) async fn dispatch(
    panel: &Panel,
    request: Request,
    route: Option<&Route>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    // The dispatcher has generated it, so that its response has one even if this panics.
    let query_id = parts.extensions.get().copied();
    let query_id = query_id.unwrap_or_else(|| panel.iam.new_query_id());
    let span = span(query_id, &parts.method, route);
    let answer = async {
        let response = respond(panel, query_id, (&mut parts, body), route).await;
        log_and_count(query_id, &parts, response.status());
        let mut response = with_query_id(response.into_response(), query_id);
        if let Some(hsts) = panel.iam.settings().hsts() {
            let hsts = HeaderValue::from_static(hsts);
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
        }
        response
    };
    answer.instrument(span).await
}

/// Opens the span of a request. Its operation is the method alone where there is no such page.
fn span(query_id: QueryId, method: &Method, route: Option<&Route>) -> Span {
    let separator = if route.is_some() { " " } else { "" };
    let path = route.map_or("", Route::path);
    let operation = format_args!("{method}{separator}{path}");
    tracing::info_span!("request", %query_id, account = Empty, %operation)
}

/// Reads a request, and calls its handler.
async fn respond(
    panel: &Panel,
    query_id: QueryId,
    (parts, body): (&mut Parts, Body),
    route: Option<&Route>,
) -> PageResponse {
    let parameters = path_parameters(parts).await;
    let (parameters, unreadable) = match parameters {
        Ok(parameters) => (parameters, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut request = match panel.read(parts, query_id, parameters) {
        Ok(request) => request,
        Err(error) => return without_page(query_id, &error),
    };
    let prepared = prepare(panel, &mut request, (parts, body), route, unreadable).await;
    let request = Arc::new(request);
    let handled = match prepared {
        Ok(route) => route.handle(Arc::clone(&request)).await,
        Err(error) => Err(error),
    };
    let response = match handled {
        Ok(response) => Ok(response),
        Err(error) => error_response(&request, error).await,
    };
    let response = response.and_then(|response| set_form_cookie(&request, response));
    let response = response.unwrap_or_else(|error| without_page(query_id, &error));
    record(panel, &request, parts, response.status());
    response.sent_to(request.recipient())
}

/// Loads the session and checks the form; returns the route if the request may proceed.
async fn prepare<'r>(
    panel: &Panel,
    request: &mut RequestContext,
    (parts, body): (&Parts, Body),
    route: Option<&'r Route>,
    unreadable: Option<PageError>,
) -> Result<&'r Route, PageError> {
    let session = panel.session(request).await.map(|session| request.session = session);
    if let (Some(_), Some(mark)) = (&request.session, parts.extensions.get::<AuthenticationMark>())
    {
        mark.set();
    }
    // The session is loaded first: the page of a refused form depends on it.
    request.form = read_form(parts, body, request, route).await?;
    session?;
    if request.session.is_none() && parts.method == Method::GET {
        panel.iam.admit_anonymous(request.ip)?;
    }
    let route = route.ok_or(PageError::NoSuchPage)?;
    if route.access() != Access::Public {
        let session = request.session()?;
        if session.access == SessionAccess::Enrolment && route.access() != Access::Enrolling {
            return Err(PageError::NotEnrolled);
        }
        panel.iam.admit_request(route.class(), &session.principal)?;
        panel.iam.admit_growth(route.class(), &session.principal)?;
        confirm::reauthenticate(request).await?;
    }
    unreadable.map_or(Ok(route), Err)
}

/// Returns the parameters of the path, decoded.
async fn path_parameters(parts: &mut Parts) -> Result<Vec<(String, String)>, PageError> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(parameters) => {
            let parameters = parameters.iter();
            Ok(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        }
        // A path without a route has no parameters.
        Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(Vec::new()),
        Err(_) => Err(PageError::NoSuchPage),
    }
}

/// Reads the form, and checks its CSRF token. What is known to be refused is not read.
async fn read_form(
    parts: &Parts,
    body: Body,
    request: &RequestContext,
    route: Option<&Route>,
) -> Result<Fields, PageError> {
    if parts.method != Method::POST {
        return Ok(Fields::default());
    }
    let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(PageError::CsrfTokenMismatch { pending: PendingForm::default() });
    }
    // A form of a public page is for signing in: it holds a proof, which no page may repeat.
    let is_public = route.is_some_and(|route| route.access() == Access::Public);
    let is_kept = site == Some("same-origin") && !is_public;
    // A CSRF token cannot be valid without the cookie that it is derived from.
    if matches!(request.cookies.form, FormCookie::New(_)) && !is_kept {
        return Err(PageError::CsrfTokenMismatch { pending: PendingForm::default() });
    }
    let max = match request.session {
        Some(_) => BODY_BYTES,
        None if is_public => SIGN_IN_FORM_BYTES,
        None => ANONYMOUS_BODY_BYTES,
    };
    // The announced length: nothing is read of a form that is too large.
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(PageError::FormTooLarge);
    }
    let body = axum::body::to_bytes(body, max).await;
    let body = body.map_err(|error| PageError::incomplete_form(&error))?;
    let form = Fields::parse(&body);
    // The body may contain a password. If the connection still shares the bytes, it overwrites them
    // with the next ones.
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
    if request.verify_csrf_token(&form) {
        return Ok(form);
    }
    let pending = if is_kept { PendingForm::of(&form) } else { PendingForm::default() };
    Err(PageError::CsrfTokenMismatch { pending })
}

/// Chooses the page of an error. A form whose session has ended is kept, to be submitted again.
async fn error_response(request: &RequestContext, error: PageError) -> HandlerResult {
    match error {
        PageError::CsrfTokenMismatch { pending } if !pending.is_empty() => match request.session {
            Some(_) => resume::show(request, pending),
            None => sign_in::show_after_session_end(request, pending).await,
        },
        PageError::NotEnrolled => PageResponse::redirect(second_factor::PATH),
        PageError::Iam(IamError::ReauthenticationRequired) => confirm::show(request).await,
        PageError::NotReauthenticated(error) => confirm::reject(request, error).await,
        error if error.status() == StatusCode::UNAUTHORIZED => {
            let pending = PendingForm::of(&request.form);
            if pending.is_empty() {
                return PageResponse::redirect(format!(
                    "/sign-in?next={}",
                    encoded(&request.target)
                ));
            }
            sign_in::show_after_session_end(request, pending).await
        }
        error => {
            if error.status().is_server_error() {
                log_failure(request.query_id, &error);
            }
            error::show(request, &error)
        }
    }
}

fn set_form_cookie(request: &RequestContext, response: PageResponse) -> HandlerResult {
    match &request.cookies.form {
        FormCookie::Sent(_) => Ok(response),
        FormCookie::New(value) => {
            Ok(response.with_cookie(request.cookie_settings.set_form(value)?))
        }
    }
}

fn log_failure(query_id: QueryId, error: &PageError) {
    let status = error.status();
    tracing::error!(%query_id, %status, cause = %CauseChain(error), "failed");
}

/// Logs a failure whose page cannot be rendered, and returns the response in its place.
fn without_page(query_id: QueryId, error: &PageError) -> PageResponse {
    log_failure(query_id, error);
    PageResponse::empty(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_query_id(mut response: Response<Body>, query_id: QueryId) -> Response<Body> {
    match HeaderValue::try_from(query_id.to_string()) {
        Ok(value) => drop(response.headers_mut().insert("x-ovh-queryid", value)),
        Err(error) => log_failure(query_id, &error.into()),
    }
    response
}

/// Records the call of a signed-in person.
fn record(panel: &Panel, request: &RequestContext, parts: &Parts, status: StatusCode) {
    let (method, path) = (&parts.method, parts.uri.path());
    // A log that is watched live requests itself every other second: such requests are not
    // recorded.
    let is_live = request.query.get("live") == "1";
    if let (Ok(context), false) = (request.context(), is_live) {
        let (what, status) = (format!("{method} {path}"), status.as_u16());
        let user_agent = Some(request.user_agent.as_str());
        panel.iam.record(&context, Call { what, route: "panel", status, user_agent });
    }
}

/// Logs and counts a response.
fn log_and_count(query_id: QueryId, Parts { method, uri, .. }: &Parts, status: StatusCode) {
    tracing::info!(%query_id, %method, path = &*cut(uri.path(), LOG_TEXT_BYTES), %status);
    let labels = [("route", "panel".to_owned()), ("status", status.as_u16().to_string())];
    metrics::counter!("gatewright_http_requests_total", &labels).increment(1);
}
