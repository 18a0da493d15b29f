//! Policies that name a service account.

use gatewright_iam::{Client, ClientId, Context, PageRequest, Policy, PolicyFilter, PolicyId};

use crate::error::{PageError, none_if_forbidden};
use crate::fields::encoded;
use crate::request::RequestContext;

/// Policy in a list.
pub(super) struct PolicyRow {
    pub(super) id: PolicyId,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) read_only: bool,
}

/// Policies that name a service account; none if the reader has no permission.
pub(super) type NamingPolicies = Option<Vec<PolicyRow>>;

impl From<Policy> for PolicyRow {
    fn from(policy: Policy) -> Self {
        Self {
            id: policy.rule.id,
            name: policy.name,
            description: policy.description.unwrap_or_default(),
            read_only: policy.read_only,
        }
    }
}

/// Returns the policies that name a service account, as far as the reader has permissions for them.
pub(super) async fn naming_policies(
    request: &RequestContext,
    context: &Context,
    client: &Client,
) -> Result<NamingPolicies, PageError> {
    let Some(identity) = &client.identity else { return Ok(Some(Vec::new())) };
    let filter = PolicyFilter { identities: vec![identity.clone()], ..PolicyFilter::default() };
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "named")?;
    let page = request.iam.policies(context, Ok(filter), Ok(page)).await;
    Ok(none_if_forbidden(page)?.map(|page| page.items.into_iter().map(Into::into).collect()))
}

/// Returns the path of the page of a service account.
pub(super) fn client_path(id: &ClientId) -> String {
    format!("/service-accounts/{}", encoded(id.as_str()))
}
