//! A response before it is sent.

use axum::body::{Body, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, IntoHeaderName};
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};
use gatewright_iam::limits::SMALL_RESPONSE_BYTES;
use gatewright_iam::{AccountRevision, RateLimit, Recipient};
use serde::Serialize;

use crate::rate_limit::rate_limit_headers;

/// The header with the revision of the account that an answer is based on.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("x-gatewright-revision");

/// A response before it is sent.
#[derive(Debug)]
pub(crate) struct Response(http::Response<Body>);

impl Response {
    /// Creates a response with a JSON body.
    pub(crate) fn json<T: Serialize>(
        status: StatusCode,
        value: &T,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::with_text(status, serde_json::to_vec(value)?))
    }

    /// Creates a response from a text that is already JSON.
    pub(crate) fn with_text(status: StatusCode, json: impl Into<Body>) -> Self {
        Self::with_body(status, "application/json", json.into())
    }

    /// Creates a response with a body of some media type.
    pub(crate) fn with_body(status: StatusCode, media_type: &'static str, body: Body) -> Self {
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self(response)
    }

    /// Creates a response without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = status;
        Self(response)
    }

    /// Creates a response with headers only.
    pub(crate) fn with_headers(headers: HeaderMap) -> Self {
        let mut response = http::Response::new(Body::empty());
        *response.headers_mut() = headers;
        Self(response)
    }

    /// Adds a header; an invalid value is left out.
    pub(crate) fn with(
        mut self,
        name: impl IntoHeaderName,
        value: impl TryInto<HeaderValue>,
    ) -> Self {
        if let Ok(value) = value.try_into() {
            self.0.headers_mut().insert(name, value);
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

    /// Adds the revision that the answer is based on.
    pub(crate) fn at_revision(self, revision: Option<AccountRevision>) -> Self {
        match revision {
            Some(revision) => self.with(REVISION, revision.to_string()),
            None => self,
        }
    }

    /// Tells how near the client is to the limit of its rate, if one counts.
    pub(crate) fn with_rate_limit(self, limit: Option<&RateLimit>) -> Self {
        let headers = limit.map(rate_limit_headers);
        headers.iter().flatten().fold(self, |response, (name, value)| response.with(*name, value))
    }

    /// Names the recipient of a response that is not small, unless it is named already.
    pub(crate) fn sent_to(mut self, recipient: impl FnOnce() -> Recipient) -> Self {
        let small = u64::try_from(SMALL_RESPONSE_BYTES).unwrap_or(u64::MAX);
        let is_small = self.0.body().size_hint().upper().is_some_and(|most| most <= small);
        if !is_small && self.0.extensions().get::<Recipient>().is_none() {
            self.0.extensions_mut().insert(recipient());
        }
        self
    }

    /// Forbids caching the response.
    pub(crate) fn no_store(mut self) -> Self {
        self.0.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self
    }

    /// Returns the status.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Converts it into the response to send.
    pub(crate) fn into_http(self) -> http::Response<Body> {
        self.0
    }
}
