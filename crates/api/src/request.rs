//! A request as handlers receive it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use gatewright_iam::{Fault, Iam, IamError, Input, Instant, PageRequest, QueryId};
use uuid::Uuid;

use crate::query::Query;

/// The context of a request: its client address and arrival time.
#[derive(Clone, Copy)]
pub(crate) struct RequestContext {
    /// The arrival by the monotonic clock, for measuring.
    pub(crate) started: Duration,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    /// The arrival time.
    pub(crate) now: Instant,
}

impl RequestContext {
    /// Creates the context of a request that arrives now.
    pub(crate) fn new(iam: &Iam, query_id: QueryId, ip: Option<IpAddr>) -> Self {
        let started = iam.monotonic();
        Self { started, ip, query_id, now: iam.now() }
    }
}

/// The use cases, behind a reference count of one thread's own: for a shared one, which each request
/// changes twice, threads would contend.
pub(crate) type ThreadIam = Arc<Arc<Iam>>;

/// A request whose operation is found, without its body.
pub(crate) struct Request {
    pub(crate) iam: ThreadIam,
    /// The path parameters, decoded and in order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    /// The arrival time.
    pub(crate) now: Instant,
}

/// The error of a handler that reads a parameter which its path does not have.
#[derive(Debug, thiserror::Error)]
#[error("the path of the operation has no parameter {0}")]
struct NoParameter(usize);

impl Request {
    /// Returns a path parameter by its position.
    pub(crate) fn parameter(&self, place: usize) -> Result<&str, IamError> {
        let parameter = self.parameters.get(place).map(String::as_str);
        parameter.ok_or_else(|| IamError::internal(NoParameter(place)))
    }

    /// Returns the text of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the media type of the body, without its parameters.
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.header("content-type").and_then(|text| text.split(';').next()).map(str::trim)
    }

    /// Parses the first path parameter as a UUID.
    pub(crate) fn id<T: From<Uuid>>(&self) -> Input<T> {
        let text = self.parameter(0)?;
        Uuid::parse_str(text).map(T::from).map_err(|_| {
            IamError::invalid(Fault::Format, format!("\"{text}\" in the path must be a UUID"))
        })
    }

    /// Reads the requested page of the list at this URL.
    pub(crate) fn page(&self, list: &str) -> Input<PageRequest> {
        let size = match self.header("x-pagination-size") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                let message = "X-Pagination-Size must be a whole number";
                IamError::invalid(Fault::Format, message)
            })?),
        };
        let list = format!("{list} {}", self.query.canonical());
        PageRequest::new(size, self.header("x-pagination-cursor"), &list)
    }
}
