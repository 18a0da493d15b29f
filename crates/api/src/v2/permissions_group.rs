//! `/iam/permissionsGroup`.

use gatewright_iam::{Context, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, JsonPage, NoContent};
use crate::tagged::{Shows, Tagged};
use crate::wire::{PermissionsGroup, PermissionsGroupBody};

const GROUPS: &str = "/iam/permissionsGroup";
const GROUP: &str = "/iam/permissionsGroup/{permissionsGroupURN}";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(GROUPS, "List permissions groups")
            .requires(&[rights::PERMISSIONS_GROUP_GET])
            .handle(list),
        Operation::post(GROUPS, "Create a permissions group")
            .requires(&[rights::PERMISSIONS_GROUP_CREATE])
            .creates()
            .conflicts()
            .handle(create),
        Operation::get(GROUP, "Read a permissions group")
            .requires(&[rights::PERMISSIONS_GROUP_GET])
            .handle(get),
        Operation::put(GROUP, "Change a permissions group")
            .requires(&[rights::PERMISSIONS_GROUP_EDIT])
            .conflicts()
            .handle(put),
        Operation::delete(GROUP, "Delete a permissions group")
            .requires(&[rights::PERMISSIONS_GROUP_DELETE])
            .handle(delete),
    ]
}

async fn list(context: Context, request: Request) -> Result<JsonPage<PermissionsGroup>, ApiError> {
    let wanted = request.page("permissionsGroup");
    let page = request.iam.permissions_groups(&context, wanted).await?;
    Ok(JsonPage::of(page, PermissionsGroup::from))
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<PermissionsGroupBody>,
) -> Result<Json<PermissionsGroup>, ApiError> {
    let group = request.iam.create_permissions_group(&context, input.map(Into::into)).await?;
    Ok(Json(group.into()))
}

async fn get(context: Context, request: Request) -> Result<Tagged<PermissionsGroup>, ApiError> {
    let group = request.iam.permissions_group(&context, request.parameter(0)?).await?;
    Tagged::of(&request, &group.tag.clone(), Shows::Object, &group.into())
}

async fn put(
    context: Context,
    request: Request,
    Body(input): Body<PermissionsGroupBody>,
) -> Result<Json<PermissionsGroup>, ApiError> {
    let (urn, input) = (request.parameter(0)?, input.map(Into::into));
    let group = request.iam.edit_permissions_group(&context, urn, input).await?;
    Ok(Json(group.into()))
}

async fn delete(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.delete_permissions_group(&context, request.parameter(0)?).await?;
    Ok(NoContent)
}
