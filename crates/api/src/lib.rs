//! The API for programs: the OAuth2 endpoints, `/v1` and `/v2`, in OVHcloud's wire format.
//!
//! Each module declares its operations beside their handlers: method, path, audience, required
//! actions, request body and response. [`operations`] lists them all. From that list, [`route`]
//! finds the operation of a request, [`openapi`] generates the OpenAPI documents, and
//! [`destination`] decides which thread answers. [`serve`] takes a request to its response: it
//! finds the operation, authenticates the caller and calls the handler, which calls one use case.

mod access;
mod authentication;
mod body;
mod body_schema;
mod destination;
mod edge;
mod endpoint;
mod error;
mod expand;
mod ext_authz;
mod form;
mod forward_auth;
mod idempotency_key;
mod meter;
mod oauth2;
mod openapi;
mod operation;
mod operations;
mod original_request;
mod panics;
mod precondition;
mod proxy_protocol;
mod query;
mod rate_limit;
mod request;
mod respond;
mod response;
mod route;
mod schema;
mod serve;
mod tagged;
mod v1;
mod v2;
mod wire;

pub use destination::Destination;
pub use edge::client_ip;
pub use ext_authz::ext_authz;
pub use panics::{NoResponse, catch_panic, current_query_id};
pub use serve::{Api, Options, failure_response, refused_response, router, serve};
