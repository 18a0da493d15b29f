//! Version 2: `/iam`.

pub(crate) mod check;
pub(crate) mod guarded_api;
pub(crate) mod permissions_group;
pub(crate) mod policy;
pub(crate) mod reference;
pub(crate) mod replica;
pub(crate) mod resource;
pub(crate) mod resource_group;
