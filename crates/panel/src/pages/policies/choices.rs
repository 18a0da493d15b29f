//! Choices of the policy editor: resources, resource groups and permissions groups.

use gatewright_iam::{Context, PageRequest, ResourceGroup, resource_group_urn};

use crate::error::{PageError, none_if_forbidden};
use crate::pages::choices::{Choice, MAX_RESOURCES, resource_choices};
use crate::request::RequestContext;

/// Permissions group that a policy may name.
pub(super) struct GroupChoice {
    pub(super) urn: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) chosen: bool,
}

/// Returns resource groups and resources, as far as the reader has permissions for them.
pub(super) async fn resource_and_group_choices(
    request: &RequestContext,
    context: &Context,
) -> Result<Vec<Choice>, PageError> {
    let page = PageRequest::new(Some(MAX_RESOURCES), None, "resource groups")?;
    let groups = none_if_forbidden(request.iam.resource_groups(context, Ok(page)).await)?;
    let region = request.iam.settings().region;
    let choice = |one: ResourceGroup| Choice {
        urn: resource_group_urn(region, one.id),
        label: request.texts.name("choice-group", &one.name),
    };
    let groups = groups.into_iter().flat_map(|page| page.items).map(choice);
    Ok(groups.chain(resource_choices(request, context).await?).collect())
}

/// Returns the permissions groups to choose from, and the chosen ones that are unknown.
pub(super) async fn permissions_group_choices(
    request: &RequestContext,
    context: &Context,
    chosen: &[String],
) -> Result<Vec<GroupChoice>, PageError> {
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let known = none_if_forbidden(request.iam.permissions_groups(context, Ok(page)).await)?;
    let known = known.into_iter().flat_map(|page| page.items).map(|one| GroupChoice {
        chosen: chosen.contains(&one.urn),
        urn: one.urn,
        name: one.name,
        description: one.description,
    });
    let mut choices: Vec<GroupChoice> = known.collect();
    for urn in chosen {
        if !choices.iter().any(|one| one.urn == *urn) {
            let (name, description) = (urn.clone(), String::new());
            choices.push(GroupChoice { urn: urn.clone(), name, description, chosen: true });
        }
    }
    Ok(choices)
}
