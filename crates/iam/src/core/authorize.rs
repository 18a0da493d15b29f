//! Authorizes callers: the one place where a right is checked.

use std::sync::Arc;

use gatewright_policy::{AccountName, Decision, Request, Resource, ResourceUrn, decide};
use smallvec::SmallVec;

use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::rights;

/// The accounts whose policies apply to a resource: its owner's, and the caller's where that is
/// another one.
pub(crate) struct DecisionContext {
    pub(crate) owner: Arc<View>,
    home: Option<Arc<View>>,
    /// True if the resource is registered.
    pub(crate) is_registered: bool,
}

impl DecisionContext {
    pub(crate) fn decide(
        &self,
        context: &Context,
        action: &str,
        urn: &ResourceUrn,
    ) -> Decision<'_> {
        self.decide_on(context, action, self.owner.decided_resource(urn))
    }

    /// Decides on a resource with attributes beyond those that are registered.
    pub(crate) fn decide_on(
        &self,
        context: &Context,
        action: &str,
        resource: Resource<'_>,
    ) -> Decision<'_> {
        let request = Request {
            caller: &context.principal.caller,
            action,
            resource,
            environment: context.environment(),
        };
        decide(&request, self.owner.policies(), self.home.as_ref().map(|home| home.policies()))
    }
}

impl Iam {
    /// Returns whether the caller has any action allowed on the resource.
    pub(crate) async fn has_access(
        &self,
        context: &Context,
        urn: &ResourceUrn,
    ) -> Result<bool, IamError> {
        let decision_context = self.decision_context(context, urn).await?;
        if context.principal.caller.is_root()
            && decision_context.owner.policies().owner() == context.account()
        {
            return Ok(true);
        }
        let catalogue = self.catalogue();
        let actions = catalogue.action_names(urn.resource_type());
        let common =
            [rights::tag_add(urn.resource_type()), rights::tag_remove(urn.resource_type())];
        let mut actions = actions.iter().chain(&common);
        Ok(actions.any(|action| decision_context.decide(context, action, urn).is_allowed()))
    }

    /// Finds the accounts whose policies decide on a resource. A resource that is not registered
    /// counts as the caller's own.
    pub(crate) async fn decision_context(
        &self,
        context: &Context,
        urn: &ResourceUrn,
    ) -> Result<DecisionContext, IamError> {
        let home = self.views.get(context.account()).await?;
        self.decision_context_from(home, urn).await
    }

    /// Builds the decision context of a resource for a caller whose account is already loaded.
    pub(crate) async fn decision_context_from(
        &self,
        home: Arc<View>,
        urn: &ResourceUrn,
    ) -> Result<DecisionContext, IamError> {
        if home.resources.get(urn.urn()).is_some() {
            return Ok(DecisionContext { owner: home, home: None, is_registered: true });
        }
        match self.views.owner_of(urn.urn()).await? {
            Some(owner) if owner != *home.account() => {
                let owner = self.views.get(&owner).await?;
                Ok(DecisionContext { owner, home: Some(home), is_registered: true })
            }
            owner => {
                Ok(DecisionContext { owner: home, home: None, is_registered: owner.is_some() })
            }
        }
    }

    /// Builds the decision context of a resource whose owner is known by name: a guarded API or the
    /// URN of an account says it.
    pub(crate) async fn decision_context_of(
        &self,
        home: Arc<View>,
        owner: &str,
    ) -> Result<DecisionContext, IamError> {
        if owner == home.account().as_str() {
            return Ok(DecisionContext { owner: home, home: None, is_registered: true });
        }
        // Boxed, since the future is large and rarely needed.
        let owner = Box::pin(self.views.get_named(owner)).await?;
        Ok(DecisionContext { owner, home: Some(home), is_registered: true })
    }

    /// Returns whether the caller has a right on their own account. The check is not written to the
    /// decision log.
    pub(crate) async fn has_right(
        &self,
        context: &Context,
        action: &str,
    ) -> Result<bool, IamError> {
        let account = self.account_urn(context.account());
        let decision_context = self.decision_context(context, &account).await?;
        Ok(decision_context.decide(context, action, &account).is_allowed())
    }

    /// Requires an action on the caller's own account; fails with [`IamError::Forbidden`] without
    /// it.
    pub(crate) async fn demand(&self, context: &Context, action: &str) -> Result<(), IamError> {
        let account = self.account_urn(context.account());
        let decision_context = self.decision_context(context, &account).await?;
        self.demand_all(context, [(&decision_context, action, &account)])
    }

    /// Requires several actions, each on a resource; the error lists all that are missing.
    pub(crate) fn demand_all<'a>(
        &self,
        context: &Context,
        required: impl IntoIterator<Item = (&'a DecisionContext, &'a str, &'a ResourceUrn)>,
    ) -> Result<(), IamError> {
        let (mut by_policy, mut by_scope) = (Vec::new(), Vec::new());
        let mut decisions: SmallVec<[RecordedDecision<'_>; 2]> = SmallVec::new();
        for (decision_context, action, urn) in required {
            let decision = decision_context.decide(context, action, urn);
            match decision {
                decision if decision.is_allowed() => {}
                Decision::OutOfScope => by_scope.push(action.to_owned()),
                _ => by_policy.push(action.to_owned()),
            }
            // The root login is allowed everything without a policy: that is not logged as a
            // decision.
            if decision != Decision::Root {
                decisions.push(RecordedDecision { action, resource: urn.urn(), decision });
            }
        }
        self.recorder.record_decisions(context, decisions);
        if by_policy.is_empty() && by_scope.is_empty() {
            return Ok(());
        }
        Err(IamError::Forbidden { by_policy, by_scope })
    }

    /// Returns the URN of the resource that represents an account.
    pub(crate) fn account_urn(&self, account: &AccountName) -> ResourceUrn {
        ResourceUrn::new(self.settings.region, "account", account.as_str())
    }
}
