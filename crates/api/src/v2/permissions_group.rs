//! `/iam/permissionsGroup`.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::{Visit, list as page};
use crate::wire::{PermissionsGroup, PermissionsGroupBody};

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let wanted = visit.page("permissionsGroup");
    Ok(page(visit.iam.permissions_groups(&context, wanted).await?, PermissionsGroup::from))
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<PermissionsGroupBody>().map(Into::into);
    let group = visit.iam.create_permissions_group(&context, input).await?;
    Ok(Answer::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let group = visit.iam.permissions_group(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<PermissionsGroupBody>().map(Into::into);
    let group = visit.iam.edit_permissions_group(&context, visit.parameter(0), input).await?;
    Ok(Answer::json(&PermissionsGroup::from(group)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_permissions_group(&context, visit.parameter(0)).await?;
    Ok(Answer::nothing())
}
