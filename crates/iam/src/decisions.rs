//! Authorization decisions that are requested explicitly.

mod assertion;
pub(crate) mod check;
pub(crate) mod evaluation;
pub(crate) mod forwarded_request;
pub(crate) mod search;
pub(crate) mod subject;
