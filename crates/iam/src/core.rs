//! What every use case stands on.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod iam;
pub(crate) mod revision;
pub(crate) mod write;
