//! Responses of handlers.

use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use gatewright_iam::Recipient;
use gatewright_iam::limits::SMALL_RESPONSE_BYTES;

use crate::error::PageError;

/// Response of a handler, or the error whose page is rendered in its place.
pub(crate) type HandlerResult = Result<PageResponse, PageError>;

/// Page, download or redirect.
#[derive(Debug)]
pub(crate) struct PageResponse {
    status: StatusCode,
    body: String,
    headers: HeaderMap,
    recipient: Option<Recipient>,
}

impl PageResponse {
    /// Renders a page.
    pub(crate) fn render(template: &impl Template) -> HandlerResult {
        let html = template.render()?;
        Ok(Self::new(StatusCode::OK, "text/html; charset=utf-8", html))
    }

    /// Offers a file of JSON lines under a name of letters, digits and dots.
    pub(crate) fn download(name: &str, body: String) -> HandlerResult {
        let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""))?;
        let mut response = Self::new(StatusCode::OK, "application/jsonl", body);
        response.headers.insert(CONTENT_DISPOSITION, disposition);
        Ok(response)
    }

    /// Redirects the browser to a page of the panel, which it requests with GET.
    pub(crate) fn redirect(to: impl Into<String>) -> HandlerResult {
        let location = HeaderValue::try_from(to.into())?;
        let mut response =
            Self::new(StatusCode::SEE_OTHER, "text/html; charset=utf-8", String::new());
        response.headers.insert(LOCATION, location);
        Ok(response)
    }

    /// Creates a response without a body, for when not even the page of an error can be rendered.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, "text/html; charset=utf-8", String::new())
    }

    fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in SECURITY_HEADERS {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Self { status, body, headers, recipient: None }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.headers.append(SET_COOKIE, cookie);
        self
    }

    /// Says after how many seconds the same request may succeed, if that is known.
    pub(crate) fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        if let Some(seconds) = seconds {
            self.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        self
    }

    /// Names the recipient, whose part of the memory for responses counts.
    pub(crate) fn sent_to(mut self, recipient: Option<Recipient>) -> Self {
        self.recipient = recipient;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let recipient = self.recipient.filter(|_| self.body.len() > SMALL_RESPONSE_BYTES);
        let mut response = Response::new(Body::from(self.body));
        if let Some(recipient) = recipient {
            response.extensions_mut().insert(recipient);
        }
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Security headers of every page: no scripts or frames of others, no cache, no referrer.
const SECURITY_HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
    ),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("vary", "cookie, accept-language"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];
