//! Resources, their tags, and groups of them.

pub(crate) mod resource;
pub(crate) mod resource_group;
