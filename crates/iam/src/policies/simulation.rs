//! What policies come to. Nothing here is written down, and nothing is allowed by it.

pub(crate) mod diff;
pub(crate) mod effective;
pub(crate) mod findings;
pub(crate) mod simulate;
pub(crate) mod target;
