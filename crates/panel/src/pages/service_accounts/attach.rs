//! Attachment of a service account to policies.

use std::sync::Arc;

use gatewright_iam::{Attachment, ClientId, IamError};

use super::naming::client_path;
use crate::error::PageError;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Attaches policies to the service account.
pub(super) async fn attach(request: Arc<RequestContext>) -> HandlerResult {
    change_policies(&request, Attachment::Attached).await?;
    let path = client_path(&ClientId::new(request.parameter("id")?));
    PageResponse::redirect(format!("{path}?flash=flash-attached"))
}

/// Detaches policies from the service account.
pub(super) async fn detach(request: Arc<RequestContext>) -> HandlerResult {
    change_policies(&request, Attachment::Detached).await?;
    let path = client_path(&ClientId::new(request.parameter("id")?));
    PageResponse::redirect(format!("{path}?flash=flash-detached"))
}

async fn change_policies(
    request: &RequestContext,
    attachment: Attachment,
) -> Result<(), PageError> {
    let context = request.context()?;
    let client = request.iam.client(&context, &ClientId::new(request.parameter("id")?)).await?;
    let identity = client.identity.ok_or(IamError::NotFound)?;
    for text in request.form.all("policy") {
        let id = text.parse().map_err(|_| IamError::NotFound)?;
        match request.iam.set_policy_identity(&context, Ok(id), &identity, attachment).await {
            // Somebody else was faster.
            Err(IamError::NotFound) if attachment == Attachment::Detached => {}
            done => drop(done?),
        }
    }
    Ok(())
}
