//! `/me/identity`: local users and their groups.

use gatewright_iam::{Context, IamError};
use serde::Serialize;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::expand;
use crate::request::Visit;
use crate::wire::{Group, GroupEdit, GroupRequest, User, UserEdit, UserRequest};

pub(crate) async fn users(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let users = visit.iam.users(&context).await?;
    list(&visit, users.into_iter().map(User::from), "login")
}

pub(crate) async fn create_user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<UserRequest>().and_then(TryInto::try_into);
    visit.iam.create_user(&context, input).await?;
    Ok(Answer::null())
}

pub(crate) async fn user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let user = visit.iam.user(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&User::from(user)))
}

pub(crate) async fn edit_user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let edit = visit.json::<UserEdit>().map(Into::into);
    visit.iam.edit_user(&context, visit.parameter(0), edit).await?;
    Ok(Answer::null())
}

pub(crate) async fn delete_user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_user(&context, visit.parameter(0)).await?;
    Ok(Answer::null())
}

pub(crate) async fn enable_user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.enable_user(&context, visit.parameter(0), true).await?;
    Ok(Answer::null())
}

pub(crate) async fn disable_user(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.enable_user(&context, visit.parameter(0), false).await?;
    Ok(Answer::null())
}

pub(crate) async fn groups(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let groups = visit.iam.groups(&context).await?;
    list(&visit, groups.into_iter().map(Group::from), "name")
}

pub(crate) async fn create_group(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<GroupRequest>().map(Into::into);
    let group = visit.iam.create_group(&context, input).await?;
    Ok(Answer::json(&Group::from(group)))
}

pub(crate) async fn group(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let group = visit.iam.group(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&Group::from(group)))
}

pub(crate) async fn edit_group(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<GroupEdit>().map(Into::into);
    visit.iam.edit_group(&context, visit.parameter(0), input).await?;
    Ok(Answer::null())
}

pub(crate) async fn delete_group(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_group(&context, visit.parameter(0)).await?;
    Ok(Answer::null())
}

pub(crate) fn list<T: Serialize>(
    visit: &Visit,
    items: impl Iterator<Item = T>,
    id: &str,
) -> Result<Answer, ApiError> {
    let items =
        items.map(serde_json::to_value).collect::<Result<_, _>>().map_err(IamError::from)?;
    expand::answer(visit, items, id)
}
