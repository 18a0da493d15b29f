//! `/me/api/oauth2/client`: service accounts.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::expand;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Client, ClientEdit, ClientRequest, ClientSecret};

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let clients = request.iam.clients(&context).await?;
    let clients = clients.into_iter().map(|client| serde_json::to_value(Client::from(client)));
    let clients = clients.collect::<Result<_, _>>().map_err(gatewright_iam::IamError::from)?;
    expand::respond(&request, clients, "clientId")
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<ClientRequest>().map(Into::into);
    let (client, secret) = request.iam.create_client(&context, input).await?;
    let answer = ClientSecret { client_id: client.id, client_secret: secret.reveal().to_owned() };
    Ok(Response::json(&answer).no_store())
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let client = request.iam.client(&context, request.parameter(0)).await?;
    Ok(Response::json(&Client::from(client)))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let edit = request.json::<ClientEdit>().map(Into::into);
    let client = request.iam.edit_client(&context, request.parameter(0), edit).await?;
    Ok(Response::json(&Client::from(client)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_client(&context, request.parameter(0)).await?;
    Ok(Response::null())
}
