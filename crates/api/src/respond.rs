//! Typed responses: the type that a handler returns is the schema in the OpenAPI document.

use std::marker::PhantomData;

use axum::body::Body;
use axum::http::StatusCode;
use gatewright_iam::Page;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::response::Response;
use crate::schema::Components;

/// A response that a handler returns.
pub(crate) trait Respond {
    /// Converts the value into a response.
    fn respond(self) -> Result<Response, ApiError>;

    /// Describes the response.
    fn describe(components: &mut Components) -> Described;
}

/// The description of a successful response.
pub(crate) struct Described {
    pub(crate) status: StatusCode,
    /// The media type, and the schema if there is one.
    pub(crate) content: Option<(&'static str, Value)>,
    /// True if it is a page of a list, with a cursor to the next one.
    pub(crate) is_page: bool,
    /// The schema of whole objects and the name of their identifying field, if the list can be
    /// expanded.
    pub(crate) expanded: Option<(Value, &'static str)>,
    /// The headers that this response adds.
    pub(crate) headers: &'static [&'static str],
    /// True if it has an entity tag, and 304 in its place.
    pub(crate) is_tagged: bool,
}

impl Described {
    /// Describes a response without a body, or with an undescribed one.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let (content, expanded) = (None, None);
        Self { status, content, is_page: false, expanded, headers: &[], is_tagged: false }
    }

    /// Describes a JSON body.
    pub(crate) fn json(schema: Value) -> Self {
        Self { content: Some(("application/json", schema)), ..Self::empty(StatusCode::OK) }
    }
}

/// 200 with a JSON value.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize + ToSchema> Respond for Json<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::json(StatusCode::OK, &self.0)?)
    }

    fn describe(components: &mut Components) -> Described {
        Described::json(components.one::<T>())
    }
}

/// 200 with a JSON array, complete.
pub(crate) struct JsonList<T>(pub(crate) Vec<T>);

impl<T: Serialize + ToSchema> Respond for JsonList<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::json(StatusCode::OK, &self.0)?)
    }

    fn describe(components: &mut Components) -> Described {
        Described::json(components.many::<T>())
    }
}

/// 200 with a JSON array, one page of it.
pub(crate) struct JsonPage<T>(pub(crate) Page<T>);

impl<T> JsonPage<T> {
    /// Converts the items of a page to their wire format.
    pub(crate) fn of<I>(page: Page<I>, wire: impl FnMut(I) -> T) -> Self {
        Self(Page { items: page.items.into_iter().map(wire).collect(), next: page.next })
    }
}

impl<T: Serialize + ToSchema> Respond for JsonPage<T> {
    fn respond(self) -> Result<Response, ApiError> {
        let response = Response::json(StatusCode::OK, &self.0.items)?;
        Ok(response.with_next(self.0.next.as_deref()))
    }

    fn describe(components: &mut Components) -> Described {
        Described { is_page: true, ..Described::json(components.many::<T>()) }
    }
}

/// 200 with `null`: version 1's empty response.
pub(crate) struct Null;

impl Respond for Null {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::with_text(StatusCode::OK, "null"))
    }

    fn describe(_: &mut Components) -> Described {
        Described::empty(StatusCode::OK)
    }
}

/// 200 with a JSON value whose schema OVHcloud's document leaves out, as ours does.
pub(crate) struct UndescribedJson<T>(pub(crate) T);

impl<T: Serialize> Respond for UndescribedJson<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::json(StatusCode::OK, &self.0)?)
    }

    fn describe(_: &mut Components) -> Described {
        Described::empty(StatusCode::OK)
    }
}

/// 204 without a body.
pub(crate) struct NoContent;

impl Respond for NoContent {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    fn describe(_: &mut Components) -> Described {
        Described::empty(StatusCode::NO_CONTENT)
    }
}

/// 200 with JSON lines, sent one by one as they occur; `T` describes a line.
pub(crate) struct Lines<T> {
    body: Body,
    described: PhantomData<T>,
}

impl<T> Lines<T> {
    /// Creates the response from a body of lines.
    pub(crate) fn new(body: Body) -> Self {
        Self { body, described: PhantomData }
    }
}

impl<T: ToSchema> Respond for Lines<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(Response::with_body(StatusCode::OK, LINES, self.body))
    }

    fn describe(components: &mut Components) -> Described {
        let content = Some((LINES, components.one::<T>()));
        Described { content, ..Described::empty(StatusCode::OK) }
    }
}

const LINES: &str = "application/x-ndjson";

/// A response that must not be cached: it holds a secret or is valid now only.
pub(crate) struct NoStore<R>(pub(crate) R);

impl<R: Respond> Respond for NoStore<R> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(self.0.respond()?.no_store())
    }

    fn describe(components: &mut Components) -> Described {
        R::describe(components)
    }
}

/// A response that anybody may cache for some minutes.
pub(crate) struct Cached<R>(pub(crate) R);

impl<R: Respond> Respond for Cached<R> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(self.0.respond()?.with("cache-control", "public, max-age=300"))
    }

    fn describe(components: &mut Components) -> Described {
        R::describe(components)
    }
}
