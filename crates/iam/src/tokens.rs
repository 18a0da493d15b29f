//! Access tokens of service accounts.

pub(crate) mod introspect;
pub(crate) mod issue;
pub(crate) mod project;
pub(crate) mod prove;
pub(crate) mod revoke;
