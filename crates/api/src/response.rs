//! A response on its way.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};
use gatewright_iam::Revision;
use serde::Serialize;

/// A response on its way.
#[derive(Debug)]
pub(crate) struct Response(http::Response<Body>);

impl Response {
    /// Makes a response with a JSON body.
    pub(crate) fn json<T: Serialize>(
        status: StatusCode,
        value: &T,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::with_text(status, serde_json::to_vec(value)?))
    }

    /// Makes a response with a text that is JSON already.
    pub(crate) fn with_text(status: StatusCode, json: impl Into<Body>) -> Self {
        Self::with_body(status, "application/json", json.into())
    }

    /// Makes a response with a body of some media type.
    pub(crate) fn with_body(status: StatusCode, media_type: &'static str, body: Body) -> Self {
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self(response)
    }

    /// Makes a response with a status alone.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = status;
        Self(response)
    }

    /// Makes a response with headers alone.
    pub(crate) fn with_headers(headers: HeaderMap) -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.headers_mut() = headers;
        Self(response)
    }

    /// Adds a header; one that no header can hold is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Adds the cursor of the next page, if there is one.
    pub(crate) fn with_next(self, next: Option<&str>) -> Self {
        match next {
            Some(next) => self.with("x-pagination-cursor-next", next),
            None => self,
        }
    }

    /// Adds the revision that the response has followed.
    pub(crate) fn at_revision(self, revision: Option<Revision>) -> Self {
        match revision {
            Some(revision) => self.with("x-gatewright-revision", &revision.to_string()),
            None => self,
        }
    }

    /// Keeps the response out of caches.
    pub(crate) fn no_store(mut self) -> Self {
        self.0.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self
    }

    /// Gives the status.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Gives the response to send.
    pub(crate) fn into_http(self) -> http::Response<Body> {
        self.0
    }
}
