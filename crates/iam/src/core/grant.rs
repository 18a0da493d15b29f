//! Checks that a caller may grant rights: by a recent authentication in a session and, where only
//! administrators grant rights, by having all of them.

use std::sync::Arc;

use gatewright_policy::{ResourceId, ResourceUrn};

use crate::core::authorize::DecisionContext;
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;

impl Iam {
    /// Requires a caller who may give rights: recently authenticated, if they are in a session, and
    /// with all rights, where the installation demands it.
    pub(crate) async fn demand_grantor(&self, context: &Context) -> Result<(), IamError> {
        context.demand_reauthentication()?;
        self.demand_all_rights(context).await
    }

    /// Requires a caller with all rights, where the installation demands it. Then nobody gives what
    /// they do not have, but by tags: who may change those of a resource changes what conditions on
    /// them decide.
    async fn demand_all_rights(&self, context: &Context) -> Result<(), IamError> {
        if !self.settings.only_administrators_grant || context.principal.caller.is_root() {
            return Ok(());
        }
        let home = self.account_urn(context.account());
        // A resource that nobody could register before, and no policy names.
        let any: ResourceId = self.sources.id()?;
        let view = self.views.get(context.account()).await?;
        let policies = view.policies();
        let mut named = context.principal.caller.identities().flat_map(|urn| policies.naming(urn));
        let denies = |id| policies.get(id).is_some_and(|policy| policies.denies_something(policy));
        if named.any(denies) {
            let message =
                "here, only those who may do everything give rights; a policy denies you some";
            return Err(IamError::Refused(message.to_owned()));
        }
        let catalogue = self.catalogue_for(context).await?;
        let mut missing = Vec::new();
        for resource_type in catalogue.types() {
            let any = ResourceUrn::new(self.settings.region, resource_type, &any.to_string());
            let (urn, decision_context) = if resource_type == "account" {
                (&home, self.decision_context(context, &home).await?)
            } else {
                (&any, DecisionContext::unregistered(Arc::clone(&view)))
            };
            let lacks =
                |action: &&Arc<str>| !decision_context.decide(context, action, urn).is_allowed();
            missing.extend(catalogue.action_names(resource_type).iter().filter(lacks).cloned());
            // What is said needs no more, and others are served between two types.
            if missing.len() > 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
        let [first, rest @ ..] = missing.as_slice() else { return Ok(()) };
        let more = if rest.is_empty() { "" } else { " and more" };
        let message = format!(
            "here, only those who may do everything give rights; you may not {first}{more}"
        );
        Err(IamError::Refused(message))
    }
}
