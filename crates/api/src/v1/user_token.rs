//! `/me/identity/user/{user}/token`: personal access tokens.

use gatewright_iam::Context;

use super::identity::list;
use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{
    NewPersonalAccessToken, PersonalAccessToken, PersonalAccessTokenEdit,
    PersonalAccessTokenRequest,
};

pub(crate) async fn tokens(context: Context, request: Request) -> Result<Response, ApiError> {
    let tokens = request.iam.user_tokens(&context, request.parameter(0)).await?;
    list(&request, tokens.into_iter().map(PersonalAccessToken::from), "name")
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<PersonalAccessTokenRequest>().and_then(TryInto::try_into);
    let (token, secret) =
        request.iam.create_user_token(&context, request.parameter(0), input).await?;
    Ok(Response::json(&NewPersonalAccessToken::new(token, &secret)))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let (user, name) = (request.parameter(0), request.parameter(1));
    let token = request.iam.user_token(&context, user, name).await?;
    Ok(Response::json(&PersonalAccessToken::from(token)))
}

pub(crate) async fn edit(context: Context, request: Request) -> Result<Response, ApiError> {
    let edit = request.json::<PersonalAccessTokenEdit>().and_then(TryInto::try_into);
    let (user, name) = (request.parameter(0), request.parameter(1));
    let token = request.iam.edit_user_token(&context, user, name, edit).await?;
    Ok(Response::json(&PersonalAccessToken::from(token)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    let (user, name) = (request.parameter(0), request.parameter(1));
    request.iam.delete_user_token(&context, user, name).await?;
    Ok(Response::null())
}
