//! A request as handlers see it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use gatewright_iam::{Fault, Iam, IamError, Input, Page, PageRequest, QueryId, read_document};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::error::Category;
use uuid::Uuid;

use crate::query::Query;
use crate::response::Response;
use crate::serve::MAX_BODY;

/// A request whose route is known.
pub(crate) struct Request {
    pub(crate) iam: Arc<Iam>,
    /// The path's parameters, decoded, in their order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    pub(crate) now: i64,
}

impl Request {
    /// A parameter of the path by its place.
    pub(crate) fn parameter(&self, place: usize) -> &str {
        self.parameters.get(place).map_or("", String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first parameter of the path, which must be a UUID.
    pub(crate) fn id(&self) -> Input<Uuid> {
        let text = self.parameter(0);
        Uuid::parse_str(text).map_err(|_| {
            IamError::invalid(Fault::Format, format!("\"{text}\" in the path must be a UUID"))
        })
    }

    /// The body as JSON of the wanted form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Input<T> {
        // A list would be read as the fields of an object in their order.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            return Err(match serde_json::from_slice::<IgnoredAny>(&self.body) {
                Ok(_) => IamError::invalid(Fault::Format, "the body must be a JSON object"),
                Err(error) => refusal(&error, "."),
            });
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let read = serde_path_to_error::deserialize(&mut reader);
        let value = read.map_err(|error| {
            let path = error.path().to_string();
            refusal(error.inner(), &path)
        })?;
        reader.end().map_err(|error| refusal(&error, "."))?;
        Ok(value)
    }

    /// The body as a document, in JSON or, where its type says so, in YAML.
    pub(crate) fn document(&self) -> Input<Value> {
        if !self.header("content-type").is_some_and(|kind| kind.contains("yaml")) {
            return self.json();
        }
        let wrong = |message: String| IamError::invalid(Fault::Format, message);
        let text = std::str::from_utf8(&self.body).map_err(|error| wrong(error.to_string()))?;
        let document = read_document(text).map_err(|error| wrong(error.to_string()))?;
        // What a short text says over and over is not to be kept at length.
        if document.to_string().len() > MAX_BODY {
            let message =
                "the document must have at most 2 MiB as JSON, with its aliases written out";
            return Err(wrong(message.to_owned()));
        }
        Ok(document)
    }

    /// Which page is wanted of the list at this URL.
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

/// What is wrong with a body. A text that is no JSON gets the one message that clients know.
fn refusal(error: &serde_json::Error, path: &str) -> IamError {
    if error.classify() != Category::Data {
        let message = "The input that you provided isn't valid JSON or not well formatted";
        return IamError::invalid(Fault::Input, message);
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let fault = if text.starts_with("missing field") { Fault::Missing } else { Fault::Format };
    let text = text.replace('`', "\"");
    let message = if path == "." { text } else { format!("\"{path}\": {text}") };
    IamError::invalid(fault, message)
}

/// A page of a list, each item as it goes over the wire.
pub(crate) fn list<T, W: Serialize>(page: Page<T>, wire: impl Fn(T) -> W) -> Response {
    let items: Vec<W> = page.items.into_iter().map(wire).collect();
    Response::json(&items).with_next(page.next.as_deref())
}
