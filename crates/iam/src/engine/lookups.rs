//! Look-ups in a view that read more than one of its maps.

use gatewright_policy::{
    CompiledPolicy, Identity, Instant, Resource as DecidedResource, ResourceUrn, TokenId,
};

use crate::engine::view::View;
use crate::model::group::role_policy_id;

impl View {
    /// Lists the policies of the account in no order, without those that implement the roles of
    /// groups.
    pub(crate) fn own_policies(&self) -> impl Iterator<Item = &CompiledPolicy> {
        let region = self.region;
        let is_role = move |policy: &CompiledPolicy| {
            let first = policy.identities().next();
            let group = first.and_then(|urn| Identity::parse(urn, region).ok());
            group.is_some_and(|group| policy.id() == role_policy_id(&group))
        };
        self.policies.iter().filter(move |policy| !is_role(policy))
    }

    /// Returns the number of policies of the account.
    pub(crate) fn policy_count(&self) -> usize {
        self.policies.len() - self.roles
    }

    /// Returns the attributes of a resource that conditions read; one that is not registered has no
    /// tags.
    pub(crate) fn decided_resource<'a>(&'a self, urn: &'a ResourceUrn) -> DecidedResource<'a> {
        let bare = DecidedResource::bare(urn.urn(), urn.resource_type(), urn.name());
        match self.resources.get(urn.urn()) {
            None => bare,
            Some(resource) => DecidedResource { tags: &resource.tags, ..bare },
        }
    }

    /// Returns whether the token with that identifier is revoked.
    pub(crate) fn is_revoked(&self, token: &TokenId) -> bool {
        self.revoked.contains(token.as_str())
    }

    /// Lists up to `most` revoked tokens that have since expired: their revocations can be deleted.
    pub(crate) fn expired_revocations(&self, now: Instant, most: usize) -> Vec<TokenId> {
        let expired = self.revoked_in_order.iter().take_while(|(expires, _)| *expires < now);
        expired.take(most).map(|(_, token)| TokenId::new(&**token)).collect()
    }
}
