//! `/me/api/oauth2/client`: service accounts.

use gatewright_iam::{ClientId, Context, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::expand::Expandable;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, NoStore, Null, UndescribedJson};
use crate::tagged::{Shows, Tagged};
use crate::wire::{Client, ClientEdit, ClientRequest, ClientSecret};

const CLIENTS: &str = "/me/api/oauth2/client";
const CLIENT: &str = "/me/api/oauth2/client/{clientId}";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(CLIENTS, "List service accounts")
            .requires(&[rights::CLIENT_GET])
            .handle(list),
        Operation::post(CLIENTS, "Create a service account")
            .requires(&[rights::CLIENT_CREATE])
            .creates()
            .handle(create),
        Operation::get(CLIENT, "Read a service account")
            .requires(&[rights::CLIENT_GET])
            .handle(get),
        Operation::put(CLIENT, "Change a service account")
            .requires(&[rights::CLIENT_EDIT])
            .handle(put),
        Operation::delete(CLIENT, "Delete a service account")
            .requires(&[rights::CLIENT_DELETE])
            .handle(delete),
        Operation::post("/me/api/oauth2/client/{clientId}/enable", "Enable a service account")
            .requires(&[rights::CLIENT_ENABLE])
            .extension()
            .handle(enable),
        Operation::post("/me/api/oauth2/client/{clientId}/disable", "Disable a service account")
            .requires(&[rights::CLIENT_DISABLE])
            .extension()
            .revokes()
            .handle(disable),
    ]
}

async fn list(context: Context, request: Request) -> Result<Expandable<Client>, ApiError> {
    let clients = request.iam.clients(&context).await?;
    Expandable::of(&request, clients.into_iter().map(Client::from))
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<ClientRequest>,
) -> Result<NoStore<Json<ClientSecret>>, ApiError> {
    let (client, secret) = request.iam.create_client(&context, input.map(Into::into)).await?;
    Ok(NoStore(Json(ClientSecret::new(&client.id, secret))))
}

async fn get(context: Context, request: Request) -> Result<Tagged<Client>, ApiError> {
    let client = request.iam.client(&context, &ClientId::new(request.parameter(0)?)).await?;
    Tagged::of(&request, &client.tag.clone(), Shows::Object, &client.into())
}

async fn put(
    context: Context,
    request: Request,
    Body(edit): Body<ClientEdit>,
) -> Result<UndescribedJson<Client>, ApiError> {
    let edit = edit.map(Into::into);
    let client =
        request.iam.edit_client(&context, &ClientId::new(request.parameter(0)?), edit).await?;
    Ok(UndescribedJson(client.into()))
}

async fn delete(context: Context, request: Request) -> Result<Null, ApiError> {
    request.iam.delete_client(&context, &ClientId::new(request.parameter(0)?)).await?;
    Ok(Null)
}

async fn enable(context: Context, request: Request) -> Result<Json<Client>, ApiError> {
    let id = ClientId::new(request.parameter(0)?);
    Ok(Json(request.iam.enable_client(&context, &id).await?.into()))
}

async fn disable(context: Context, request: Request) -> Result<Json<Client>, ApiError> {
    let id = ClientId::new(request.parameter(0)?);
    Ok(Json(request.iam.disable_client(&context, &id).await?.into()))
}
