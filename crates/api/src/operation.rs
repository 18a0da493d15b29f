//! An operation of the API: method, path, audience, required actions, request body and response.
//!
//! Each is declared beside its handler. The OpenAPI document is generated from the handler's types,
//! so it cannot differ from the code.

use axum::http::{Method, StatusCode};
use gatewright_iam::RequestClass;
use serde_json::Value;

use crate::endpoint::{BodyDescription, Endpoint, Handler, ResponseDescription};
use crate::proxy_protocol::ProxyProtocol;
use crate::respond::Described;

/// The headers of a response that tell a proxy the caller's identity.
const IDENTITY: &[&str] = &[
    "X-Gatewright-Identity",
    "X-Gatewright-Account",
    "X-Gatewright-Token",
    "X-Gatewright-Assertion",
    "X-Gatewright-Revision",
];

/// The first segment of the paths of the OpenAPI documents, which are no operations.
pub(crate) const DOCUMENTS: &str = "openapi";

/// The tree of URLs that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    /// `/v1`, and its alias `/1.0`.
    V1,
    /// `/v2`.
    V2,
    /// Directly below the public URL.
    Root,
}

impl Tree {
    /// Returns the tree of a version, as the first segment of a path.
    pub(crate) fn of_version(segment: &str) -> Option<Self> {
        match segment {
            "v1" | "1.0" => Some(Self::V1),
            "v2" => Some(Self::V2),
            _ => None,
        }
    }
}

/// The audience of an operation's path without a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// API clients.
    Programs,
    /// People: the Control Panel has a page at the path, and API clients must send the version.
    People,
}

/// The cost of an operation, which decides which thread answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Answered from memory, on the worker thread of the connection.
    Memory,
    /// May wait for the database or take long: answered on the general runtime.
    Database,
}

/// The authentication of a request that has no bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// None: the limits of strangers count.
    None,
    /// An OAuth2 client, by the form: its own limits count.
    Client,
}

/// The effect of an operation on objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing. Such requests are too frequent to be logged one by one.
    Reads,
    /// Creates an object.
    Creates,
    /// Changes or deletes an object, or does something else.
    Changes,
}

/// The objects that the path parameters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathNames {
    /// Existing objects; the operation answers 404 otherwise.
    Existing,
    /// Anything; the operation never answers 404.
    Anything,
}

/// The format of an operation's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    /// A class and a message.
    Api,
    /// RFC 6749, section 5.2.
    OAuth2,
    /// A plain text, if the request cannot be parsed.
    AuthZen,
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: ParameterKind,
}

/// The type of a query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Flag,
    Text,
    /// Several texts: the parameter is repeated.
    Texts,
}

impl Parameter {
    /// Declares a boolean parameter.
    pub(crate) const fn flag(name: &'static str) -> Self {
        Self { name, kind: ParameterKind::Flag }
    }

    /// Declares a text parameter.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, kind: ParameterKind::Text }
    }

    /// Declares a parameter with several texts.
    pub(crate) const fn texts(name: &'static str) -> Self {
        Self { name, kind: ParameterKind::Texts }
    }
}

/// An operation with its handler.
pub(crate) struct Operation {
    pub(crate) declared: Declaration,
    pub(crate) handler: Handler,
    pub(crate) request_body: Option<BodyDescription>,
    pub(crate) response: ResponseDescription,
}

/// The declaration of an operation.
pub(crate) struct Declaration {
    pub(crate) tree: Tree,
    pub(crate) method: Method,
    /// The path template; segments in braces are parameters.
    pub(crate) path: &'static str,
    /// The segments of the path.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) summary: &'static str,
    /// The actions that it requires on the caller's account.
    pub(crate) requires: &'static [&'static str],
    pub(crate) query: &'static [Parameter],
    /// True if OVHcloud has no such operation.
    pub(crate) extension: bool,
    pub(crate) effect: Effect,
    pub(crate) audience: Audience,
    pub(crate) cost: Cost,
    /// True if it ends something: it deletes, disables or revokes.
    pub(crate) is_revocation: bool,
    pub(crate) authentication: Authentication,
    pub(crate) errors: Errors,
    /// True if it answers 409 when a name or an identifier is already in use.
    pub(crate) conflicts: bool,
    pub(crate) path_names: PathNames,
    /// Examples for bodies whose schema has none.
    pub(crate) request_example: Option<fn() -> Value>,
    pub(crate) response_example: Option<fn() -> Value>,
}

impl Operation {
    fn declare(method: Method, path: &'static str, summary: &'static str) -> Declaration {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        Declaration {
            tree: Tree::Root,
            path,
            parts,
            summary,
            requires: &[],
            query: &[],
            extension: false,
            effect: if method == Method::GET { Effect::Reads } else { Effect::Changes },
            audience: Audience::Programs,
            cost: Cost::Database,
            is_revocation: method == Method::DELETE,
            authentication: Authentication::None,
            errors: Errors::Api,
            conflicts: false,
            path_names: PathNames::Existing,
            request_example: None,
            response_example: None,
            method,
        }
    }

    /// Puts the operation into a tree of URLs, in place of the root.
    pub(crate) fn in_tree(mut self, tree: Tree) -> Self {
        self.declared.tree = tree;
        self
    }

    /// Declares an operation that reads.
    pub(crate) fn get(path: &'static str, summary: &'static str) -> Declaration {
        Self::declare(Method::GET, path, summary)
    }

    /// Declares an operation that creates or acts.
    pub(crate) fn post(path: &'static str, summary: &'static str) -> Declaration {
        Self::declare(Method::POST, path, summary)
    }

    /// Declares an operation that changes or replaces.
    pub(crate) fn put(path: &'static str, summary: &'static str) -> Declaration {
        Self::declare(Method::PUT, path, summary)
    }

    /// Declares an operation that deletes.
    pub(crate) fn delete(path: &'static str, summary: &'static str) -> Declaration {
        Self::declare(Method::DELETE, path, summary)
    }
}

impl Declaration {
    /// Declares the actions that it requires on the caller's account. The use case checks them; a
    /// test compares the two.
    pub(crate) fn requires(mut self, actions: &'static [&'static str]) -> Self {
        self.requires = actions;
        self
    }

    /// Declares the query parameters.
    pub(crate) fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.query = parameters;
        self
    }

    /// Declares that OVHcloud has no such operation.
    pub(crate) fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    /// Declares that it changes nothing, although it is a POST.
    pub(crate) fn read_only(mut self) -> Self {
        self.effect = Effect::Reads;
        self
    }

    /// Declares that the Control Panel has a page at its path without a version.
    pub(crate) fn beside_a_page(mut self) -> Self {
        self.audience = Audience::People;
        self
    }

    /// Declares that its handler authenticates an OAuth2 client.
    pub(crate) fn authenticates_client(mut self) -> Self {
        self.authentication = Authentication::Client;
        self
    }

    /// Declares that it ends something, and so is never refused for the rate of requests.
    pub(crate) fn revokes(mut self) -> Self {
        self.is_revocation = true;
        self
    }

    /// Returns the class of its requests, whose rate is limited.
    pub(crate) fn class(&self) -> RequestClass {
        if self.is_revocation {
            RequestClass::Revocations
        } else if self.cost == Cost::Memory {
            RequestClass::Decisions
        } else if self.is_read_only() {
            RequestClass::Reads
        } else {
            RequestClass::Writes
        }
    }

    /// Declares that it is answered from memory: it never waits for the database, a file, or a lock
    /// that a slow task holds.
    pub(crate) fn answered_from_memory(mut self) -> Self {
        self.cost = Cost::Memory;
        self
    }

    /// Declares the format of its errors.
    pub(crate) fn errors(mut self, errors: Errors) -> Self {
        self.errors = errors;
        self
    }

    /// Declares that a name or an identifier may already be in use.
    pub(crate) fn conflicts(mut self) -> Self {
        self.conflicts = true;
        self
    }

    /// Declares that it creates an object.
    pub(crate) fn creates(mut self) -> Self {
        self.effect = Effect::Creates;
        self
    }

    /// Returns whether it changes nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.effect == Effect::Reads
    }

    /// Returns whether it creates an object.
    pub(crate) fn is_creation(&self) -> bool {
        self.effect == Effect::Creates
    }

    /// Returns whether it changes or deletes the object in its path, which preconditions are about.
    pub(crate) fn is_conditional(&self) -> bool {
        self.effect == Effect::Changes && self.tree != Tree::Root
    }

    /// Declares that the objects in its path need not exist.
    pub(crate) fn names_anything(mut self) -> Self {
        self.path_names = PathNames::Anything;
        self
    }

    /// Declares an example of its request body, if the schema has none.
    pub(crate) fn request_example(mut self, example: fn() -> Value) -> Self {
        self.request_example = Some(example);
        self
    }

    /// Declares an example of its response body, if the schema has none.
    pub(crate) fn response_example(mut self, example: fn() -> Value) -> Self {
        self.response_example = Some(example);
        self
    }

    /// Checks whether its path names an object that may be missing (404).
    pub(crate) fn finds_an_object(&self) -> bool {
        let names = self.parts.iter().any(|part| part.starts_with('{'));
        names && self.path_names == PathNames::Existing && self.tree != Tree::Root
    }

    /// Declares its handler.
    pub(crate) fn handle<E: Endpoint<Arguments>, Arguments>(self, endpoint: E) -> Operation {
        Operation {
            declared: self,
            handler: endpoint.into_handler(),
            request_body: E::request_body(),
            response: E::response(),
        }
    }

    /// Declares that a proxy calls it to authorize a forwarded request.
    pub(crate) fn handle_proxy(self, protocol: ProxyProtocol) -> Operation {
        Operation {
            declared: self,
            handler: Handler::Proxy(protocol),
            request_body: None,
            response: |_| Described { headers: IDENTITY, ..Described::empty(StatusCode::OK) },
        }
    }
}
