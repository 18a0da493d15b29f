//! Choices that forms offer: resources that a policy or a group can name.

use gatewright_iam::{Context, PageRequest, Resource, ResourceFilter};

use crate::error::{PageError, none_if_forbidden};
use crate::request::RequestContext;

/// Maximum number of resources that a form offers.
pub(super) const MAX_RESOURCES: usize = 500;

/// Object with a URN that can be added to a list.
pub(super) struct Choice {
    pub(super) urn: String,
    pub(super) label: String,
}

/// Returns some resources, as far as the reader has permissions for them.
pub(super) async fn resource_choices(
    request: &RequestContext,
    context: &Context,
) -> Result<Vec<Choice>, PageError> {
    let page = PageRequest::new(Some(MAX_RESOURCES), None, "resources")?;
    let filter = ResourceFilter::default();
    let resources = none_if_forbidden(request.iam.resources(context, Ok(filter), Ok(page)).await)?;
    let choice = |one: Resource| Choice {
        label: format!("{} ({})", one.display_name, one.urn.resource_type()),
        urn: one.urn.urn().to_owned(),
    };
    Ok(resources.into_iter().flat_map(|page| page.items).map(choice).collect())
}
