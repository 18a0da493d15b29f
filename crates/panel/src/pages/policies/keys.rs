//! Keys of policies in JSON, as a person writes them or copies them from the API.

use gatewright_iam::KeyTree;
use gatewright_iam::KeyTree::{Any, Of};

/// Keys of a condition.
pub(super) static CONDITION: KeyTree =
    Of(&[("operator", &Any), ("values", &Any), ("conditions", &CONDITION)]);

static ACTIONS: KeyTree = Of(&[("action", &Any)]);
static PERMISSIONS: KeyTree = Of(&[("allow", &ACTIONS), ("except", &ACTIONS), ("deny", &ACTIONS)]);

/// Keys of a policy. Those that only the server sets, and the details of URNs, are ignored.
pub(super) static POLICY: KeyTree = Of(&[
    ("name", &Any),
    ("description", &Any),
    ("identities", &Any),
    ("resources", &Of(&[("urn", &Any), ("resource", &Any), ("group", &Any)])),
    ("permissions", &PERMISSIONS),
    (
        "permissionsGroups",
        &Of(&[("urn", &Any), ("name", &Any), ("owner", &Any), ("permissions", &Any)]),
    ),
    ("conditions", &CONDITION),
    ("expiredAt", &Any),
    ("id", &Any),
    ("owner", &Any),
    ("readOnly", &Any),
    ("createdAt", &Any),
    ("updatedAt", &Any),
]);
