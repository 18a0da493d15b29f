//! Look-ups in a view that take more than one of its maps.

use gatewright_policy::{
    CompiledPolicy, Identity, Instant, Resource as DecidedResource, ResourceUrn,
};

use crate::engine::view::View;
use crate::model::group::role_policy_id;

impl View {
    /// The policies that were made, in no order: those that carry out roles are not among them.
    pub(crate) fn own_policies(&self) -> impl Iterator<Item = &CompiledPolicy> {
        let region = self.region;
        let is_role = move |policy: &CompiledPolicy| {
            let first = policy.identities().next();
            let group = first.and_then(|urn| Identity::parse(urn, region).ok());
            group.is_some_and(|group| policy.id() == role_policy_id(&group))
        };
        self.policies.iter().filter(move |policy| !is_role(policy))
    }

    /// How many policies the account has.
    pub(crate) fn policy_count(&self) -> usize {
        self.policies.len() - self.roles
    }

    /// The resource as conditions see it; one that is not known has no tags.
    pub(crate) fn see<'a>(&'a self, urn: &'a ResourceUrn) -> DecidedResource<'a> {
        let bare = DecidedResource::bare(urn.urn(), urn.resource_type(), urn.name());
        match self.resources.get(urn.urn()) {
            None => bare,
            Some(resource) => DecidedResource { tags: &resource.tags, ..bare },
        }
    }

    /// Whether the token of that identifier was revoked.
    pub(crate) fn is_revoked(&self, token: &str) -> bool {
        self.revoked.contains(token)
    }

    /// Some revoked tokens that have expired since, and need no longer be remembered.
    pub(crate) fn expired_revocations(&self, now: Instant, most: usize) -> Vec<String> {
        let expired = self.revoked_in_order.iter().take_while(|(expires, _)| *expires < now);
        expired.take(most).map(|(_, token)| token.to_string()).collect()
    }
}
