//! `/iam/resourceGroup`.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::{NewResourceGroup, ResourceGroup, ResourceGroupBody};

async fn wire(
    context: &Context,
    visit: &Visit,
    group: gatewright_iam::ResourceGroup,
    details: bool,
) -> Result<ResourceGroup, ApiError> {
    let region = visit.iam.settings().region;
    if !details {
        return Ok(ResourceGroup::of(group, region));
    }
    let resources = visit.iam.resource_group_details(context, &group).await?;
    Ok(ResourceGroup::of(group, region).detailed(resources))
}

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let page = visit.iam.resource_groups(&context, visit.page("resourceGroup")).await?;
    let details = visit.query.flag("details")?.unwrap_or(false);
    let mut items = Vec::with_capacity(page.items.len());
    for group in page.items {
        items.push(wire(&context, &visit, group, details).await?);
    }
    Ok(Answer::json(&items).with_next(page.next.as_deref()))
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<NewResourceGroup>().and_then(TryInto::try_into);
    let group = visit.iam.create_resource_group(&context, input).await?;
    Ok(Answer::json(&wire(&context, &visit, group, false).await?))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let group = visit.iam.resource_group(&context, visit.id()).await?;
    let details = visit.query.flag("details")?.unwrap_or(false);
    Ok(Answer::json(&wire(&context, &visit, group, details).await?))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<ResourceGroupBody>().and_then(TryInto::try_into);
    let group = visit.iam.edit_resource_group(&context, visit.id(), input).await?;
    Ok(Answer::json(&wire(&context, &visit, group, false).await?))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_resource_group(&context, visit.id()).await?;
    Ok(Answer::nothing())
}
