//! The core of every use case: authentication, authorization and writes.

mod admit;
pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod budget;
pub(crate) mod creation;
mod detach;
mod grant;
pub(crate) mod iam;
pub(crate) mod revision;
pub(crate) mod span;
pub(crate) mod write;
