//! Answers.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};
use gatewright_iam::Revision;
use serde::Serialize;

/// A response on its way.
#[derive(Debug)]
pub(crate) struct Response(http::Response<Body>);

impl Response {
    /// 200 with a JSON body.
    pub(crate) fn json<T: Serialize>(value: &T) -> Self {
        Self::json_with(StatusCode::OK, value)
    }

    pub(crate) fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Self {
        // The types that are answered have text keys only, so this cannot fail.
        let body = serde_json::to_vec(value).unwrap_or_default();
        let mut response = http::Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self(response)
    }

    /// 200 with a text that is JSON already.
    pub(crate) fn raw(text: String) -> Self {
        let mut response = http::Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self(response)
    }

    /// 200 with lines of JSON, which come one after the other.
    pub(crate) fn lines(body: Body) -> Self {
        let mut response = http::Response::new(body);
        let kind = HeaderValue::from_static("application/x-ndjson");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Self(response)
    }

    /// 200 with headers alone.
    pub(crate) fn with_headers(headers: HeaderMap) -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.headers_mut() = headers;
        Self(response)
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self(response)
    }

    /// 200 with `null`, which is what version 1 answers when there is nothing to say.
    pub(crate) fn null() -> Self {
        Self::json(&())
    }

    /// Adds a header; one that no header can hold is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Says where the next page begins, if there is one.
    pub(crate) fn with_next(self, next: Option<&str>) -> Self {
        match next {
            Some(next) => self.with("x-pagination-cursor-next", next),
            None => self,
        }
    }

    /// Says which changes the response has followed.
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

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(crate) fn into_response(self) -> http::Response<Body> {
        self.0
    }
}
