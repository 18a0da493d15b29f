//! What a handler answers.

use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::refusal::Refusal;

pub(crate) type Answered = Result<Answer, Refusal>;

/// A page, or the way to one.
pub(crate) struct Answer {
    status: StatusCode,
    html: String,
    location: Option<String>,
    cookies: Vec<String>,
}

impl Answer {
    pub(crate) fn page(template: &impl Template) -> Answered {
        let html = template.render()?;
        Ok(Self { status: StatusCode::OK, html, location: None, cookies: Vec::new() })
    }

    /// Sends the browser to a page of the panel, with GET.
    pub(crate) fn go(to: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            html: String::new(),
            location: Some(to.into()),
            cookies: Vec::new(),
        }
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
        let mut response = Response::new(Body::from(self.html));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
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
