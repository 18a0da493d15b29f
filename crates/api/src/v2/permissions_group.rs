//! `/iam/permissionsGroup`.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::request::{Request, list as page};
use crate::response::Response;
use crate::wire::{PermissionsGroup, PermissionsGroupBody};

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let wanted = request.page("permissionsGroup");
    Ok(page(request.iam.permissions_groups(&context, wanted).await?, PermissionsGroup::from))
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<PermissionsGroupBody>().map(Into::into);
    let group = request.iam.create_permissions_group(&context, input).await?;
    Ok(Response::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let group = request.iam.permissions_group(&context, request.parameter(0)).await?;
    Ok(Response::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<PermissionsGroupBody>().map(Into::into);
    let group = request.iam.edit_permissions_group(&context, request.parameter(0), input).await?;
    Ok(Response::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_permissions_group(&context, request.parameter(0)).await?;
    Ok(Response::no_content())
}
