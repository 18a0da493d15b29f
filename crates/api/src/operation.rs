//! What is known of a call before it is made.

use std::pin::Pin;

use axum::http::Method;
use gatewright_iam::Context;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::forward_auth::Form;
use crate::openapi::{Components, Shape};
use crate::request::Visit;

pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// What answers a call.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Anybody may call; the handler finds out who it is, if it must.
    Open(fn(Visit) -> Answering),
    /// Only somebody who is logged in may call.
    Private(fn(Context, Visit) -> Answering),
    /// A proxy calls, and asks about the request of somebody else.
    Proxy(Form),
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

/// A call: how it is made, who may make it, what it takes and what it gives.
pub(crate) struct Operation {
    pub(crate) tree: Tree,
    pub(crate) method: Method,
    /// Parts in braces are parameters.
    pub(crate) path: &'static str,
    /// The parts of the path.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) summary: &'static str,
    pub(crate) handler: Handler,
    /// The actions that it needs on the caller's account.
    pub(crate) needs: &'static [&'static str],
    pub(crate) query: &'static [Parameter],
    /// Whether it answers in pages by cursor.
    pub(crate) paged: bool,
    pub(crate) takes: Option<Shape>,
    pub(crate) gives: Option<Shape>,
    /// The name of whole objects, where a list of identifiers can be expanded.
    pub(crate) expands_to: Option<Shape>,
    /// Whether OVHcloud has no such call.
    pub(crate) extension: bool,
    /// Whether it leaves everything as it is; such calls are too frequent to be logged one by one.
    pub(crate) looks: bool,
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
            needs: &[],
            query: &[],
            paged: false,
            takes: None,
            gives: None,
            expands_to: None,
            extension: false,
            looks: matches!(method, Method::GET),
            method,
        }
    }

    /// Leaves everything as it is, although its method says nothing of that.
    pub(crate) fn looks(mut self) -> Self {
        self.looks = true;
        self
    }

    pub(crate) fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
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

    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        self.takes = Some(Components::one::<T>);
        self
    }

    pub(crate) fn gives(mut self, shape: Shape) -> Self {
        self.gives = Some(shape);
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
