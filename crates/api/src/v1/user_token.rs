//! `/me/identity/user/{user}/token`: personal access tokens.

use gatewright_iam::Context;

use super::identity::list;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::{
    NewPersonalAccessToken, PersonalAccessToken, PersonalAccessTokenEdit,
    PersonalAccessTokenRequest,
};

pub(crate) async fn tokens(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let tokens = visit.iam.user_tokens(&context, visit.parameter(0)).await?;
    list(&visit, tokens.into_iter().map(PersonalAccessToken::from), "name")
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<PersonalAccessTokenRequest>().and_then(TryInto::try_into);
    let (token, secret) = visit.iam.create_user_token(&context, visit.parameter(0), input).await?;
    Ok(Answer::json(&NewPersonalAccessToken::new(token, &secret)))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let (user, name) = (visit.parameter(0), visit.parameter(1));
    let token = visit.iam.user_token(&context, user, name).await?;
    Ok(Answer::json(&PersonalAccessToken::from(token)))
}

pub(crate) async fn edit(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let edit = visit.json::<PersonalAccessTokenEdit>().and_then(TryInto::try_into);
    let (user, name) = (visit.parameter(0), visit.parameter(1));
    let token = visit.iam.edit_user_token(&context, user, name, edit).await?;
    Ok(Answer::json(&PersonalAccessToken::from(token)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let (user, name) = (visit.parameter(0), visit.parameter(1));
    visit.iam.delete_user_token(&context, user, name).await?;
    Ok(Answer::null())
}
