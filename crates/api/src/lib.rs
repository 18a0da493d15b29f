//! The API for programs: the OAuth2 endpoints, `/v1` and `/v2`, in OVHcloud's wire format.
//!
//! Each module declares its operations beside their handlers: method and path, who may call it, the
//! actions that it requires, what it takes and gives. [`operations`] lists them all; from that list,
//! [`route`] finds the operation of a request, [`openapi`] makes the OpenAPI documents, and
//! [`destination`] decides which thread answers. [`serve`] goes from a request to its response: it
//! finds the operation, finds out who calls, and hands over to the handler, which calls one use case.

mod access;
mod body;
mod destination;
mod edge;
mod endpoint;
mod error;
mod expand;
mod ext_authz;
mod form;
mod forward_auth;
mod meter;
mod oauth2;
mod openapi;
mod operation;
mod operations;
mod original_request;
mod proxy_protocol;
mod query;
mod request;
mod respond;
mod response;
mod route;
mod schema;
mod serve;
mod v1;
mod v2;
mod wire;

pub use destination::Destination;
pub use edge::client_ip;
pub use ext_authz::ext_authz;
pub use serve::{Api, Options, router, serve};
