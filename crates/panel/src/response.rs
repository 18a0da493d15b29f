//! What a handler answers.

use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::error::PageError;

pub(crate) type HandlerResult = Result<PageResponse, PageError>;

/// A page, or the way to one.
pub(crate) struct PageResponse {
    status: StatusCode,
    body: String,
    kind: &'static str,
    /// The name under which it is kept, where it is not shown.
    file: Option<String>,
    location: Option<String>,
    cookies: Vec<String>,
}

impl PageResponse {
    pub(crate) fn render(template: &impl Template) -> HandlerResult {
        let html = template.render()?;
        Ok(Self { body: html, ..Self::empty(StatusCode::OK) })
    }

    /// A file of JSON lines, to be kept under a name of letters, digits and dots.
    pub(crate) fn download(name: &str, body: String) -> Self {
        let file = Some(name.to_owned());
        Self { body, kind: "application/jsonl", file, ..Self::empty(StatusCode::OK) }
    }

    fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: String::new(),
            kind: "text/html; charset=utf-8",
            file: None,
            location: None,
            cookies: Vec::new(),
        }
    }

    /// Sends the browser to a page of the panel, with GET.
    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        Self { location: Some(to.into()), ..Self::empty(StatusCode::SEE_OTHER) }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        let file = self.file.map(|name| format!("attachment; filename=\"{name}\""));
        if let Some(Ok(value)) = file.map(HeaderValue::try_from) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
        for (name, value) in HEADERS {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        if let Some(Ok(value)) = self.location.map(HeaderValue::try_from) {
            headers.insert(LOCATION, value);
        }
        for cookie in self.cookies {
            if let Ok(value) = HeaderValue::try_from(cookie) {
                headers.append(SET_COOKIE, value);
            }
        }
        response
    }
}

/// What every page says to the browser.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; layout-ancestors 'none'; \
         base-uri 'none'",
    ),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("vary", "cookie, accept-language"),
    ("x-content-type-options", "nosniff"),
    ("x-layout-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];
