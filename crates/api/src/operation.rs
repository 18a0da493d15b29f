//! What is known of a call before it is made.

use std::pin::Pin;

use axum::http::Method;
use gatewright_iam::Context;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::forward_auth::ProxyProtocol;
use crate::openapi::{Components, Shape};
use crate::request::Request;
use crate::response::Response;

pub(crate) type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// What answers a call.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Anybody may call; the handler finds out who it is, if it must.
    Public(fn(Request) -> ResponseFuture),
    /// Only somebody who is logged in may call.
    Authenticated(fn(Context, Request) -> ResponseFuture),
    /// A proxy calls, and asks about the request of somebody else.
    Proxy(ProxyProtocol),
}

/// Which tree of URLs a call belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    /// `/v1`, which is also `/1.0`.
    V1,
    /// `/v2`.
    V2,
    /// Below the public URL itself.
    Root,
}

/// A call: how it is made, who may make it, what it request_body and what it response.
pub(crate) struct Operation {
    pub(crate) tree: Tree,
    pub(crate) method: Method,
    /// Parts in braces are parameters.
    pub(crate) path: &'static str,
    /// The parts of the path.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) summary: &'static str,
    pub(crate) handler: Handler,
    /// The actions that it requires on the caller's account.
    pub(crate) requires: &'static [&'static str],
    pub(crate) query: &'static [Parameter],
    /// Whether it answers in pages by cursor.
    pub(crate) paged: bool,
    pub(crate) request_body: Option<Shape>,
    pub(crate) response: Option<Shape>,
    /// The name of whole objects, where a list of identifiers can be expanded.
    pub(crate) expands_to: Option<Shape>,
    /// Whether OVHcloud has no such call.
    pub(crate) extension: bool,
    /// Whether it leaves everything as it is; such calls are too frequent to be logged one by one.
    pub(crate) read_only: bool,
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: ParameterKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Flag,
    Text,
    Texts,
}

impl Operation {
    pub(crate) fn new(
        tree: Tree,
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            tree,
            path,
            parts: path.split('/').skip(1).collect(),
            summary,
            handler,
            requires: &[],
            query: &[],
            paged: false,
            request_body: None,
            response: None,
            expands_to: None,
            extension: false,
            read_only: matches!(method, Method::GET),
            method,
        }
    }

    /// Leaves everything as it is, although its method says nothing of that.
    pub(crate) fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(crate) fn requires(mut self, requires: &'static [&'static str]) -> Self {
        self.requires = requires;
        self
    }

    pub(crate) fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn paged(mut self) -> Self {
        self.paged = true;
        self
    }

    pub(crate) fn request_body<T: ToSchema>(mut self) -> Self {
        self.request_body = Some(Components::one::<T>);
        self
    }

    pub(crate) fn response(mut self, shape: Shape) -> Self {
        self.response = Some(shape);
        self
    }

    pub(crate) fn expands_to(mut self, shape: Shape) -> Self {
        self.expands_to = Some(shape);
        self
    }

    pub(crate) fn extension(mut self) -> Self {
        self.extension = true;
        self
    }
}
