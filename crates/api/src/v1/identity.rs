//! `/me/identity`: local users and their groups.

use gatewright_iam::{Context, IamError};
use serde::Serialize;

use crate::error::ApiError;
use crate::expand;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Group, GroupEdit, GroupRequest, User, UserEdit, UserRequest};

pub(crate) async fn users(context: Context, request: Request) -> Result<Response, ApiError> {
    let users = request.iam.users(&context).await?;
    list(&request, users.into_iter().map(User::from), "login")
}

pub(crate) async fn create_user(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<UserRequest>().and_then(TryInto::try_into);
    request.iam.create_user(&context, input).await?;
    Ok(Response::null())
}

pub(crate) async fn user(context: Context, request: Request) -> Result<Response, ApiError> {
    let user = request.iam.user(&context, request.parameter(0)).await?;
    Ok(Response::json(&User::from(user)))
}

pub(crate) async fn edit_user(context: Context, request: Request) -> Result<Response, ApiError> {
    let edit = request.json::<UserEdit>().map(Into::into);
    request.iam.edit_user(&context, request.parameter(0), edit).await?;
    Ok(Response::null())
}

pub(crate) async fn delete_user(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_user(&context, request.parameter(0)).await?;
    Ok(Response::null())
}

pub(crate) async fn enable_user(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.enable_user(&context, request.parameter(0), true).await?;
    Ok(Response::null())
}

pub(crate) async fn disable_user(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.enable_user(&context, request.parameter(0), false).await?;
    Ok(Response::null())
}

pub(crate) async fn groups(context: Context, request: Request) -> Result<Response, ApiError> {
    let groups = request.iam.groups(&context).await?;
    list(&request, groups.into_iter().map(Group::from), "name")
}

pub(crate) async fn create_group(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<GroupRequest>().map(Into::into);
    let group = request.iam.create_group(&context, input).await?;
    Ok(Response::json(&Group::from(group)))
}

pub(crate) async fn group(context: Context, request: Request) -> Result<Response, ApiError> {
    let group = request.iam.group(&context, request.parameter(0)).await?;
    Ok(Response::json(&Group::from(group)))
}

pub(crate) async fn edit_group(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<GroupEdit>().map(Into::into);
    request.iam.edit_group(&context, request.parameter(0), input).await?;
    Ok(Response::null())
}

pub(crate) async fn delete_group(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_group(&context, request.parameter(0)).await?;
    Ok(Response::null())
}

pub(crate) fn list<T: Serialize>(
    request: &Request,
    items: impl Iterator<Item = T>,
    id: &str,
) -> Result<Response, ApiError> {
    let items =
        items.map(serde_json::to_value).collect::<Result<_, _>>().map_err(IamError::from)?;
    expand::respond(request, items, id)
}
