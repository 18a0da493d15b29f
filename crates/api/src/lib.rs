//! What programs call: the OAuth2 endpoints, `/v1` and `/v2`, in OVHcloud's wire format.
//!
//! Every call is an entry of one table ([`table`]): its method and path, who may call it, the
//! actions that it needs, what it takes and gives. [`serve`] finds the entry, finds out who calls,
//! and hands over to the entry's handler, which reads the request, calls one use case and writes
//! the answer. The OpenAPI document is made from the same table.

mod access;
mod error;
mod expand;
mod ext_authz;
mod forward_auth;
mod meter;
mod oauth2;
mod openapi;
mod operation;
mod query;
mod request;
mod response;
mod route;
mod serve;
mod table;
mod v1;
mod v2;
mod wire;

pub use ext_authz::ext_authz;
pub use serve::{Api, Options, client_ip, router, serve};
