//! Authorizes callers: the one place where a right is checked.

use std::collections::HashMap;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, Decision, Request, Resource, ResourceUrn, decide, decision_cost,
};

use crate::core::budget::{Budget, CHUNK};
use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::engine::view::{View, account_urn};
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::rights;

/// The cost of finding out whose policies decide.
pub(crate) const CONTEXT_COST: u64 = 20;

/// The accounts whose policies apply to a resource: its owner's, and the caller's where that is
/// another one.
pub(crate) struct DecisionContext {
    pub(crate) owner: Arc<View>,
    home: Option<Arc<View>>,
    /// True if the resource is registered.
    pub(crate) is_registered: bool,
}

impl DecisionContext {
    /// Creates the decision context of a resource of the caller's account that nobody has registered.
    pub(crate) fn unregistered(home: Arc<View>) -> Self {
        Self { owner: home, home: None, is_registered: false }
    }

    /// Creates the decision context of a resource that the caller's account owns.
    fn of_home(home: Arc<View>) -> Self {
        Self { owner: home, home: None, is_registered: true }
    }

    /// Creates the decision context of a resource that another account owns.
    fn foreign(home: Arc<View>, owner: Arc<View>) -> Self {
        Self { owner, home: Some(home), is_registered: true }
    }

    /// Returns the cost of a decision for the caller, in the worst case.
    pub(crate) fn cost(&self, context: &Context) -> u64 {
        let home = self.home.as_ref().map(|home| home.policies());
        decision_cost(&context.principal.caller, self.owner.policies(), home)
    }

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

/// The access of a caller to a resource, and the cost of finding it out.
pub(crate) struct Access {
    pub(crate) is_allowed: bool,
    pub(crate) cost: u64,
}

impl Iam {
    /// Returns whether the caller has any action allowed on the resource.
    pub(crate) async fn has_access(
        &self,
        context: &Context,
        urn: &ResourceUrn,
    ) -> Result<bool, IamError> {
        Ok(self.find_access(context, urn, &mut self.budget()).await?.is_allowed)
    }

    /// Finds out whether the caller has any action allowed on the resource. Others run by the sum of what
    /// the budget has paid for.
    pub(crate) async fn find_access(
        &self,
        context: &Context,
        urn: &ResourceUrn,
        budget: &mut Budget,
    ) -> Result<Access, IamError> {
        let decision_context = self.decision_context(context, urn).await?;
        let owner = decision_context.owner.policies().owner();
        if context.principal.caller.is_root() && owner == context.account() {
            budget.pause_after(CONTEXT_COST).await;
            return Ok(Access { is_allowed: true, cost: 1 });
        }
        let (catalogue, resource_type) = (self.catalogue(), urn.resource_type());
        let common = [rights::tag_add(resource_type), rights::tag_remove(resource_type)];
        let common = common.map(Arc::<str>::from);
        let (cost_of_each, mut cost) = (decision_context.cost(context), 0_u64);
        let lists = [catalogue.action_names(resource_type), common.as_slice()];
        for some in lists.into_iter().flat_map(|actions| actions.chunks(CHUNK)) {
            let is_allowed =
                |action: &Arc<str>| decision_context.decide(context, action, urn).is_allowed();
            let allowed = some.iter().position(is_allowed);
            let tried = allowed.map_or(some.len(), |index| index + 1);
            let spent = cost_of_each.saturating_mul(tried as u64);
            cost = cost.saturating_add(spent);
            budget.pause_after(spent.max(CONTEXT_COST)).await;
            if allowed.is_some() {
                return Ok(Access { is_allowed: true, cost });
            }
        }
        Ok(Access { is_allowed: false, cost })
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

    /// Finds the accounts whose policies decide on many resources. The database is asked about many
    /// at once.
    pub(crate) async fn decision_contexts(
        &self,
        context: &Context,
        urns: &[ResourceUrn],
    ) -> Result<Vec<DecisionContext>, IamError> {
        self.find_owners(context, urns).await?;
        // The view is read after the wait for the database.
        let home = self.views.get(context.account()).await?;
        let foreign = urns.iter().map(ResourceUrn::urn);
        let foreign = foreign.filter(|urn| !home.resources.contains(urn));
        let owners = self.views.owners_of(foreign).await?;
        let mut others = HashMap::<&AccountName, Arc<View>>::new();
        for owner in owners.values().filter(|owner| *owner != home.account()) {
            if !others.contains_key(owner) {
                others.insert(owner, self.views.get(owner).await?);
            }
        }
        let decision_context = |urn: &ResourceUrn| {
            let home = Arc::clone(&home);
            match owners.get(urn.urn()) {
                Some(owner) if owner != home.account() => {
                    let owner = others.get(owner).map(Arc::clone);
                    let owner = owner.ok_or_else(|| IamError::impossible("an owner not loaded"))?;
                    Ok(DecisionContext::foreign(home, owner))
                }
                None if !home.resources.contains(urn.urn()) => {
                    Ok(DecisionContext::unregistered(home))
                }
                _ => Ok(DecisionContext::of_home(home)),
            }
        };
        urns.iter().map(decision_context).collect()
    }

    /// Reads the owners of resources into memory, many at once, but for those of the caller's account.
    pub(crate) async fn find_owners(
        &self,
        context: &Context,
        urns: &[ResourceUrn],
    ) -> Result<(), IamError> {
        let home = self.views.get(context.account()).await?;
        let foreign = urns.iter().map(ResourceUrn::urn);
        let foreign = foreign.filter(|urn| !home.resources.contains(urn));
        self.views.owners_of(foreign).await.map(drop)
    }

    /// Builds the decision context of a resource for a caller whose account is already loaded.
    pub(crate) async fn decision_context_from(
        &self,
        home: Arc<View>,
        urn: &ResourceUrn,
    ) -> Result<DecisionContext, IamError> {
        if home.resources.get(urn.urn()).is_some() {
            return Ok(DecisionContext::of_home(home));
        }
        match self.views.owner_of(urn.urn()).await? {
            Some(owner) if owner != *home.account() => {
                let owner = self.views.get(&owner).await?;
                Ok(DecisionContext::foreign(home, owner))
            }
            Some(_) => Ok(DecisionContext::of_home(home)),
            None => Ok(DecisionContext::unregistered(home)),
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
            return Ok(DecisionContext::of_home(home));
        }
        // Boxed, since the future is large and rarely needed.
        let owner = Box::pin(self.views.get_named(owner)).await?;
        Ok(DecisionContext::foreign(home, owner))
    }

    /// Returns whether the caller has a right on their own account. The check is not written to the
    /// decision log.
    pub(crate) async fn has_right(
        &self,
        context: &Context,
        action: &str,
    ) -> Result<bool, IamError> {
        let home = self.views.get(context.account()).await?;
        let account = home.account_urn();
        let decision_context = self.decision_context_from(Arc::clone(&home), account).await?;
        Ok(decision_context.decide(context, action, account).is_allowed())
    }

    /// Requires an action on the caller's own account; fails with [`IamError::Forbidden`] without
    /// it.
    pub(crate) async fn demand(&self, context: &Context, action: &str) -> Result<(), IamError> {
        let home = self.views.get(context.account()).await?;
        let account = home.account_urn();
        let decision_context = self.decision_context_from(Arc::clone(&home), account).await?;
        self.demand_all(context, [(&decision_context, action, account)])
    }

    /// Requires several actions, each on a resource; the error lists all that are missing.
    pub(crate) fn demand_all<'a>(
        &self,
        context: &Context,
        required: impl IntoIterator<Item = (&'a DecisionContext, &'a str, &'a ResourceUrn)>,
    ) -> Result<(), IamError> {
        let (mut by_policy, mut by_scope) = (Vec::new(), Vec::new());
        let mut decisions = self.recorder.decisions_for(context);
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
                decisions.add(RecordedDecision { action, resource: urn.urn(), decision });
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
        account_urn(self.settings.region, account)
    }
}
