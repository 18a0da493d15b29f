//! `/me/api/oauth2/client`: service accounts.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::expand;
use crate::request::Visit;
use crate::wire::{Client, ClientEdit, ClientRequest, ClientSecret};

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let clients = visit.iam.clients(&context).await?;
    let clients = clients.into_iter().map(|client| serde_json::to_value(Client::from(client)));
    let clients = clients.collect::<Result<_, _>>().map_err(gatewright_iam::IamError::from)?;
    expand::answer(&visit, clients, "clientId")
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<ClientRequest>().map(Into::into);
    let (client, secret) = visit.iam.create_client(&context, input).await?;
    let answer = ClientSecret { client_id: client.id, client_secret: secret.reveal().to_owned() };
    Ok(Answer::json(&answer).unstored())
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let client = visit.iam.client(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&Client::from(client)))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let edit = visit.json::<ClientEdit>().map(Into::into);
    let client = visit.iam.edit_client(&context, visit.parameter(0), edit).await?;
    Ok(Answer::json(&Client::from(client)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_client(&context, visit.parameter(0)).await?;
    Ok(Answer::null())
}
