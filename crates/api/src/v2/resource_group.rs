//! `/iam/resourceGroup`.

use gatewright_iam::{Context, Page, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, JsonPage, NoContent};
use crate::tagged::{Shows, Tagged};
use crate::v2::details::{DETAILS, Details};
use crate::wire::{NewResourceGroup, ResourceGroup, ResourceGroupBody};

const GROUPS: &str = "/iam/resourceGroup";
const GROUP: &str = "/iam/resourceGroup/{groupId}";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(GROUPS, "List resource groups")
            .requires(&[rights::RESOURCE_GROUP_GET])
            .query(&[DETAILS])
            .handle(list),
        Operation::post(GROUPS, "Create a resource group")
            .requires(&[rights::RESOURCE_GROUP_CREATE])
            .creates()
            .conflicts()
            .handle(create),
        Operation::get(GROUP, "Read a resource group")
            .requires(&[rights::RESOURCE_GROUP_GET])
            .query(&[DETAILS])
            .handle(get),
        Operation::put(GROUP, "Change a resource group")
            .requires(&[rights::RESOURCE_GROUP_EDIT])
            .conflicts()
            .handle(put),
        Operation::delete(GROUP, "Delete a resource group")
            .requires(&[rights::RESOURCE_GROUP_DELETE])
            .handle(delete),
    ]
}

async fn wire(
    context: &Context,
    request: &Request,
    group: gatewright_iam::ResourceGroup,
    details: Details,
) -> Result<ResourceGroup, ApiError> {
    let region = request.iam.settings().region;
    if details == Details::Omitted {
        return Ok(ResourceGroup::of(group, region));
    }
    let resources = request.iam.resource_group_details(context, &group).await?;
    Ok(ResourceGroup::of(group, region).detailed(resources))
}

async fn list(context: Context, request: Request) -> Result<JsonPage<ResourceGroup>, ApiError> {
    let page = request.iam.resource_groups(&context, request.page("resourceGroup")).await?;
    let details = Details::of(&request)?;
    let mut items = Vec::with_capacity(page.items.len());
    for group in page.items {
        items.push(wire(&context, &request, group, details).await?);
    }
    Ok(JsonPage(Page { items, next: page.next }))
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<NewResourceGroup>,
) -> Result<Json<ResourceGroup>, ApiError> {
    let input = input.and_then(TryInto::try_into);
    let group = request.iam.create_resource_group(&context, input).await?;
    Ok(Json(wire(&context, &request, group, Details::Omitted).await?))
}

async fn get(context: Context, request: Request) -> Result<Tagged<ResourceGroup>, ApiError> {
    let group = request.iam.resource_group(&context, request.id()).await?;
    let details = Details::of(&request)?;
    // The managed group lists every resource, which are not part of it.
    let shows = if group.read_only { Shows::More } else { details.shows() };
    let tag = group.tag.clone();
    let shown = wire(&context, &request, group, details).await?;
    Tagged::of(&request, &tag, shows, &shown)
}

async fn put(
    context: Context,
    request: Request,
    Body(input): Body<ResourceGroupBody>,
) -> Result<Json<ResourceGroup>, ApiError> {
    let input = input.and_then(TryInto::try_into);
    let group = request.iam.edit_resource_group(&context, request.id(), input).await?;
    Ok(Json(wire(&context, &request, group, Details::Omitted).await?))
}

async fn delete(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.delete_resource_group(&context, request.id()).await?;
    Ok(NoContent)
}
