//! `/me/identity`: local users and their groups, and the second factor that is demanded of people.

use gatewright_iam::{Context, GroupName, Login, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::expand::Expandable;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, Null};
use crate::tagged::{Shows, Tagged};
use crate::wire::{
    Group, GroupEdit, GroupRequest, SecondFactorSetting, User, UserEdit, UserRequest,
};

const USERS: &str = "/me/identity/user";
const USER: &str = "/me/identity/user/{user}";
const GROUPS: &str = "/me/identity/group";
const GROUP: &str = "/me/identity/group/{group}";
const SECOND_FACTOR: &str = "/me/identity/secondFactor";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(USERS, "List users").requires(&[rights::USER_GET]).handle(users),
        Operation::post(USERS, "Create a user")
            .requires(&[rights::USER_CREATE])
            .creates()
            .conflicts()
            .handle(create_user),
        Operation::get(USER, "Read a user").requires(&[rights::USER_GET]).handle(user),
        Operation::put(USER, "Change a user").requires(&[rights::USER_EDIT]).handle(edit_user),
        Operation::delete(USER, "Delete a user")
            .requires(&[rights::USER_DELETE])
            .handle(delete_user),
        Operation::post("/me/identity/user/{user}/enable", "Enable a user")
            .requires(&[rights::USER_ENABLE])
            .handle(enable_user),
        Operation::post("/me/identity/user/{user}/disable", "Disable a user")
            .requires(&[rights::USER_DISABLE])
            .revokes()
            .handle(disable_user),
        Operation::get(GROUPS, "List groups of users")
            .requires(&[rights::GROUP_GET])
            .handle(groups),
        Operation::post(GROUPS, "Create a group of users")
            .requires(&[rights::GROUP_CREATE])
            .creates()
            .conflicts()
            .handle(create_group),
        Operation::get(GROUP, "Read a group of users").requires(&[rights::GROUP_GET]).handle(group),
        Operation::put(GROUP, "Change a group of users")
            .requires(&[rights::GROUP_EDIT])
            .handle(edit_group),
        Operation::delete(GROUP, "Delete a group of users")
            .requires(&[rights::GROUP_DELETE])
            .handle(delete_group),
        Operation::get(SECOND_FACTOR, "Read whether the account's people need a second factor")
            .requires(&[rights::ME_GET])
            .extension()
            .handle(second_factor),
        Operation::put(SECOND_FACTOR, "Demand a second factor of the account's people, or not")
            .requires(&[rights::SECOND_FACTOR_EDIT])
            .extension()
            .handle(set_second_factor),
    ]
}

async fn users(context: Context, request: Request) -> Result<Expandable<User>, ApiError> {
    let users = request.iam.users(&context).await?;
    Expandable::of(&request, users.into_iter().map(User::from))
}

async fn create_user(
    context: Context,
    request: Request,
    Body(input): Body<UserRequest>,
) -> Result<Null, ApiError> {
    request.iam.create_user(&context, input.and_then(TryInto::try_into)).await?;
    Ok(Null)
}

async fn user(context: Context, request: Request) -> Result<Tagged<User>, ApiError> {
    let user = request.iam.user(&context, &Login::new(request.parameter(0)?)).await?;
    Tagged::of(&request, &user.tag.clone(), Shows::Object, &user.into())
}

async fn edit_user(
    context: Context,
    request: Request,
    Body(edit): Body<UserEdit>,
) -> Result<Null, ApiError> {
    let login = Login::new(request.parameter(0)?);
    request.iam.edit_user(&context, &login, edit.map(Into::into)).await?;
    Ok(Null)
}

async fn delete_user(context: Context, request: Request) -> Result<Null, ApiError> {
    request.iam.delete_user(&context, &Login::new(request.parameter(0)?)).await?;
    Ok(Null)
}

async fn enable_user(context: Context, request: Request) -> Result<Null, ApiError> {
    request.iam.enable_user(&context, &Login::new(request.parameter(0)?)).await?;
    Ok(Null)
}

async fn disable_user(context: Context, request: Request) -> Result<Null, ApiError> {
    request.iam.disable_user(&context, &Login::new(request.parameter(0)?)).await?;
    Ok(Null)
}

async fn groups(context: Context, request: Request) -> Result<Expandable<Group>, ApiError> {
    let groups = request.iam.groups(&context).await?;
    Expandable::of(&request, groups.into_iter().map(Group::from))
}

async fn create_group(
    context: Context,
    request: Request,
    Body(input): Body<GroupRequest>,
) -> Result<Json<Group>, ApiError> {
    let group = request.iam.create_group(&context, input.map(Into::into)).await?;
    Ok(Json(group.into()))
}

async fn group(context: Context, request: Request) -> Result<Tagged<Group>, ApiError> {
    let group = request.iam.group(&context, &GroupName::new(request.parameter(0)?)).await?;
    Tagged::of(&request, &group.tag.clone(), Shows::Object, &group.into())
}

async fn edit_group(
    context: Context,
    request: Request,
    Body(edit): Body<GroupEdit>,
) -> Result<Null, ApiError> {
    let name = GroupName::new(request.parameter(0)?);
    request.iam.edit_group(&context, &name, edit.map(Into::into)).await?;
    Ok(Null)
}

async fn delete_group(context: Context, request: Request) -> Result<Null, ApiError> {
    request.iam.delete_group(&context, &GroupName::new(request.parameter(0)?)).await?;
    Ok(Null)
}

async fn second_factor(
    context: Context,
    request: Request,
) -> Result<Tagged<SecondFactorSetting>, ApiError> {
    let profile = request.iam.me(&context).await?;
    Tagged::of(&request, &profile.tag()?, Shows::Object, &profile.second_factor.into())
}

async fn set_second_factor(
    context: Context,
    request: Request,
    Body(setting): Body<SecondFactorSetting>,
) -> Result<Null, ApiError> {
    request.iam.set_second_factor(&context, setting.map(Into::into)).await?;
    Ok(Null)
}
