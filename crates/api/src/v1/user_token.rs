//! `/me/identity/user/{user}/token`: personal access tokens.

use gatewright_iam::{Context, Login, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::expand::Expandable;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, NoStore, Null};
use crate::tagged::{Shows, Tagged};
use crate::wire::{
    NewPersonalAccessToken, PersonalAccessToken, PersonalAccessTokenEdit,
    PersonalAccessTokenRequest,
};

const TOKENS: &str = "/me/identity/user/{user}/token";
const TOKEN: &str = "/me/identity/user/{user}/token/{name}";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(TOKENS, "List personal access tokens of a user")
            .requires(&[rights::USER_TOKEN_GET])
            .handle(list),
        Operation::post(TOKENS, "Create a personal access token for a user")
            .requires(&[rights::USER_TOKEN_CREATE])
            .creates()
            .conflicts()
            .handle(create),
        Operation::get(TOKEN, "Read a personal access token")
            .requires(&[rights::USER_TOKEN_GET])
            .handle(get),
        Operation::put(TOKEN, "Change a personal access token")
            .requires(&[rights::USER_TOKEN_EDIT])
            .handle(edit),
        Operation::delete(TOKEN, "Delete a personal access token")
            .requires(&[rights::USER_TOKEN_DELETE])
            .handle(delete),
    ]
}

async fn list(
    context: Context,
    request: Request,
) -> Result<Expandable<PersonalAccessToken>, ApiError> {
    let tokens = request.iam.user_tokens(&context, &Login::new(request.parameter(0)?)).await?;
    Expandable::of(&request, tokens.into_iter().map(PersonalAccessToken::from))
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<PersonalAccessTokenRequest>,
) -> Result<NoStore<Json<NewPersonalAccessToken>>, ApiError> {
    let input = input.and_then(TryInto::try_into);
    let login = Login::new(request.parameter(0)?);
    let (token, secret) = request.iam.create_user_token(&context, &login, input).await?;
    Ok(NoStore(Json(NewPersonalAccessToken::new(token, secret))))
}

async fn get(context: Context, request: Request) -> Result<Tagged<PersonalAccessToken>, ApiError> {
    let (login, name) = (Login::new(request.parameter(0)?), request.parameter(1)?);
    let token = request.iam.user_token(&context, &login, name).await?;
    Tagged::of(&request, &token.tag.clone(), Shows::More, &token.into())
}

async fn edit(
    context: Context,
    request: Request,
    Body(edit): Body<PersonalAccessTokenEdit>,
) -> Result<Json<PersonalAccessToken>, ApiError> {
    let edit = edit.and_then(TryInto::try_into);
    let (login, name) = (Login::new(request.parameter(0)?), request.parameter(1)?);
    let token = request.iam.edit_user_token(&context, &login, name, edit).await?;
    Ok(Json(token.into()))
}

async fn delete(context: Context, request: Request) -> Result<Null, ApiError> {
    let (login, name) = (Login::new(request.parameter(0)?), request.parameter(1)?);
    request.iam.delete_user_token(&context, &login, name).await?;
    Ok(Null)
}
