//! Deletion of a service account, with the policies that name it.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Client, ClientId};

use super::naming::{NamingPolicies, naming_policies};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "service_accounts/delete.html")]
struct DeletePage {
    layout: Layout,
    client: Client,
    policies: NamingPolicies,
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let client = request.iam.client(&context, &ClientId::new(request.parameter("id")?)).await?;
    let policies = naming_policies(&request, &context, &client).await?;
    let layout = request.layout(Section::ServiceAccounts);
    PageResponse::render(&DeletePage { layout, client, policies })
}

pub(super) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request
        .iam
        .delete_client(&request.context()?, &ClientId::new(request.parameter("id")?))
        .await?;
    PageResponse::redirect("/service-accounts?flash=flash-deleted")
}
