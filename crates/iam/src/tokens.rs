//! Access tokens and ID tokens of service accounts: issuance, introspection and revocation.

mod client_authentication;
pub(crate) mod introspect;
pub(crate) mod issue;
pub(crate) mod project;
pub(crate) mod revoke;
