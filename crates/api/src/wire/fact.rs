//! Facts, as replicas receive them.

use utoipa::ToSchema;

/// A fact of a replica's feed; the other fields depend on its kind.
#[derive(ToSchema)]
#[schema(as = iam::replica::Fact)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct FactLine {
    fact: FactKind,
}

#[derive(ToSchema)]
#[schema(as = iam::replica::FactEnum, rename_all = "camelCase")]
#[expect(dead_code, reason = "only described")]
pub(crate) enum FactKind {
    Account,
    Actions,
    Policy,
    PermissionsGroup,
    ResourceGroup,
    EveryResource,
    Resource,
    Subject,
    RevokedToken,
    Reached,
}
