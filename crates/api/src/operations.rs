//! All operations of the API, each declared beside its handler.

use crate::operation::Operation;
use crate::{access, forward_auth, oauth2, v1, v2};

/// Lists all operations. Nothing is called more often than what comes first.
pub(crate) fn operations() -> Vec<Operation> {
    let all = [
        forward_auth::operations(),
        oauth2::operations(),
        access::operations(),
        v1::operations(),
        v2::operations(),
    ];
    all.into_iter().flatten().collect()
}
