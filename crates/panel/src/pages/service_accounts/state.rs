//! Disabling and enabling of a service account.

use std::sync::Arc;

use gatewright_iam::ClientId;

use super::naming::client_path;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Enables the service account.
pub(super) async fn enable(request: Arc<RequestContext>) -> HandlerResult {
    let id = ClientId::new(request.parameter("id")?);
    request.iam.enable_client(&request.context()?, &id).await?;
    PageResponse::redirect(format!("{}?flash=flash-client-enabled", client_path(&id)))
}

/// Disables the service account.
pub(super) async fn disable(request: Arc<RequestContext>) -> HandlerResult {
    let id = ClientId::new(request.parameter("id")?);
    request.iam.disable_client(&request.context()?, &id).await?;
    PageResponse::redirect(format!("{}?flash=flash-client-disabled", client_path(&id)))
}
