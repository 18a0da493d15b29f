//! Resources, their tags, and resource groups.

pub(crate) mod list;
pub(crate) mod resource;
pub(crate) mod resource_group;
