//! Version 2: `/iam`.

mod activity;
mod check;
mod details;
mod guarded_api;
mod permissions_group;
mod policy;
mod reference;
mod replica;
mod resource;
mod resource_group;

use crate::operation::{Operation, Tree};

/// Declares the operations of version 2.
pub(crate) fn operations() -> Vec<Operation> {
    let all = [
        policy::operations(),
        permissions_group::operations(),
        guarded_api::operations(),
        replica::operations(),
        resource_group::operations(),
        resource::operations(),
        check::operations(),
        activity::operations(),
        reference::operations(),
    ];
    all.into_iter().flatten().map(|operation| operation.in_tree(Tree::V2)).collect()
}
