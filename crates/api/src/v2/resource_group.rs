//! `/iam/resourceGroup`.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{NewResourceGroup, ResourceGroup, ResourceGroupBody};

async fn wire(
    context: &Context,
    request: &Request,
    group: gatewright_iam::ResourceGroup,
    details: bool,
) -> Result<ResourceGroup, ApiError> {
    let region = request.iam.settings().region;
    if !details {
        return Ok(ResourceGroup::of(group, region));
    }
    let resources = request.iam.resource_group_details(context, &group).await?;
    Ok(ResourceGroup::of(group, region).detailed(resources))
}

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let page = request.iam.resource_groups(&context, request.page("resourceGroup")).await?;
    let details = request.query.flag("details")?.unwrap_or(false);
    let mut items = Vec::with_capacity(page.items.len());
    for group in page.items {
        items.push(wire(&context, &request, group, details).await?);
    }
    Ok(Response::json(&items).with_next(page.next.as_deref()))
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<NewResourceGroup>().and_then(TryInto::try_into);
    let group = request.iam.create_resource_group(&context, input).await?;
    Ok(Response::json(&wire(&context, &request, group, false).await?))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let group = request.iam.resource_group(&context, request.id()).await?;
    let details = request.query.flag("details")?.unwrap_or(false);
    Ok(Response::json(&wire(&context, &request, group, details).await?))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<ResourceGroupBody>().and_then(TryInto::try_into);
    let group = request.iam.edit_resource_group(&context, request.id(), input).await?;
    Ok(Response::json(&wire(&context, &request, group, false).await?))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_resource_group(&context, request.id()).await?;
    Ok(Response::no_content())
}
