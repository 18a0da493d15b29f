//! Version 1: authentication details, the account, service accounts, identities, logs.

mod auth;
mod client;
mod identity;
mod log;
mod me;
mod user_token;

use crate::operation::{Operation, Tree};

/// Declares the operations of version 1.
pub(crate) fn operations() -> Vec<Operation> {
    let all = [
        auth::operations(),
        me::operations(),
        client::operations(),
        identity::operations(),
        user_token::operations(),
        log::operations(),
    ];
    all.into_iter().flatten().map(|operation| operation.in_tree(Tree::V1)).collect()
}
