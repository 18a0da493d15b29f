//! Facts, as a replica gets them.

use utoipa::ToSchema;

/// Describes a fact, which the engine writes: what else is there depends on its kind.
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
