//! Finds denies by name that another name of the same thing passes.
//!
//! Behind a guarded API, the name of a resource is what the request says. An API may read `09` and
//! `9.json` as `9`; a deny of `9` beside an allow of all denies `9` alone.

use gatewright_policy::{
    CompiledPolicy, Decision, Environment, Request, Resource, ResourcePattern, ResourceUrn, decide,
};

use crate::catalogue::index::Catalogue;
use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;

/// The maximum number of decisions for one answer.
const MOST_DECISIONS: usize = 20_000;

/// The maximum number of policies that are read for one answer.
const MOST_READ: usize = 500;

/// The search for such policies.
pub(crate) struct ExactDenies<'s> {
    pub(crate) iam: &'s Iam,
    pub(crate) context: &'s Context,
    pub(crate) view: &'s View,
    pub(crate) catalogue: &'s Catalogue,
    /// The number of decisions that are left.
    left: usize,
    /// The number of policies that may still be read.
    unread: usize,
}

impl<'s> ExactDenies<'s> {
    pub(crate) fn new(
        iam: &'s Iam,
        context: &'s Context,
        view: &'s View,
        catalogue: &'s Catalogue,
    ) -> Self {
        Self { iam, context, view, catalogue, left: MOST_DECISIONS, unread: MOST_READ }
    }

    /// Returns whether a policy denies a resource of a guarded API by its name, to somebody who may
    /// do the same on a name that is not denied. Beyond the limits of one answer, policies are not
    /// looked at.
    pub(crate) async fn has(&mut self, policy: &CompiledPolicy) -> Result<bool, IamError> {
        if !self.view.policies().denies_something(policy) {
            return Ok(false);
        }
        let Some(unread) = self.unread.checked_sub(1).filter(|_| self.left > 0) else {
            return Ok(false);
        };
        self.unread = unread;
        let stored = self.iam.stored_policy(self.context.account(), policy.id()).await?;
        let region = self.iam.settings.region;
        for urn in stored.iter().flat_map(|stored| &stored.rule.resources) {
            let Ok(ResourcePattern::One(urn)) = ResourcePattern::parse(urn, region) else {
                continue;
            };
            let Ok(urn) = ResourceUrn::parse(&urn, region) else { continue };
            let guarded = self.catalogue.is_named_by_requests(urn.resource_type());
            if guarded && self.can_be_passed(policy, &urn) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn can_be_passed(&mut self, policy: &CompiledPolicy, urn: &ResourceUrn) -> bool {
        let (view, environment) = (self.view, Environment { now: self.context.now, ip: None });
        let other = format!("{}0", urn.urn());
        let other_name = format!("{}0", urn.name());
        for identity in policy.identities() {
            let Ok(identity) = self.iam.identity(identity) else { continue };
            let caller = self.iam.caller(view, &identity);
            for action in self.catalogue.action_names(urn.resource_type()) {
                let Some(left) = self.left.checked_sub(2) else { return false };
                self.left = left;
                let on = |resource| {
                    let request = Request { caller: &caller, action, resource, environment };
                    decide(&request, view.policies(), None)
                };
                let denied = on(view.decided_resource(urn));
                let by_it = matches!(denied, Decision::Denied(by) if by.policy == policy.id());
                let other = Resource::bare(&other, urn.resource_type(), &other_name);
                if by_it && on(other).is_allowed() {
                    return true;
                }
            }
        }
        false
    }
}
