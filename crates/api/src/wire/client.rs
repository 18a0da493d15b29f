//! Service accounts.

use gatewright_iam::{ClientId, ClientInput, Flow, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Identified, nullable, reveal};
use crate::body_schema::accepted;
use crate::schema::described_as;

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = oauth2::ClientFlowEnum)]
pub(crate) enum ClientFlow {
    AuthorizationCode,
    ClientCredentials,
}

impl From<Flow> for ClientFlow {
    fn from(flow: Flow) -> Self {
        match flow {
            Flow::AuthorizationCode => Self::AuthorizationCode,
            Flow::ClientCredentials => Self::ClientCredentials,
        }
    }
}

impl From<ClientFlow> for Flow {
    fn from(flow: ClientFlow) -> Self {
        match flow {
            ClientFlow::AuthorizationCode => Self::AuthorizationCode,
            ClientFlow::ClientCredentials => Self::ClientCredentials,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = oauth2::client)]
pub(crate) struct Client {
    callback_urls: Option<Vec<String>>,
    client_id: String,
    created_at: String,
    description: String,
    /// True if it may get and use tokens. OVHcloud has no such field.
    #[schema(extensions(("x-gatewright-extension" = json!(true))))]
    enabled: bool,
    flow: ClientFlow,
    identity: Option<String>,
    name: String,
}

impl Identified for Client {
    type Id = String;
    const ID: &'static str = "clientId";
}

impl From<gatewright_iam::Client> for Client {
    fn from(client: gatewright_iam::Client) -> Self {
        Self {
            callback_urls: Some(client.callback_urls),
            client_id: client.id.to_string(),
            created_at: client.created_at.to_string(),
            description: client.description,
            enabled: client.enabled,
            flow: client.flow.into(),
            identity: client.identity,
            name: client.name,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = oauth2::clientRequest)]
pub(crate) struct ClientRequest {
    #[serde(default, deserialize_with = "nullable")]
    callback_urls: Vec<String>,
    description: String,
    flow: ClientFlow,
    name: String,
}

impl From<ClientRequest> for ClientInput {
    fn from(request: ClientRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            flow: request.flow.into(),
            callback_urls: request.callback_urls,
        }
    }
}

/// The editable fields of a service account; clients send whole objects back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientEdit {
    #[serde(default)]
    callback_urls: Option<Vec<String>>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

described_as!(ClientEdit, Client);

accepted! {
    ClientRequest as Client;
    ClientEdit as Client;
}

impl From<ClientEdit> for gatewright_iam::ClientEdit {
    fn from(edit: ClientEdit) -> Self {
        Self { name: edit.name, description: edit.description, callback_urls: edit.callback_urls }
    }
}

/// The credentials of a service account. No other response shows the secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = oauth2::clientSecret)]
pub(crate) struct ClientSecret {
    client_id: String,
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    client_secret: Secret,
}

impl ClientSecret {
    pub(crate) fn new(client_id: &ClientId, client_secret: Secret) -> Self {
        Self { client_id: client_id.to_string(), client_secret }
    }
}
