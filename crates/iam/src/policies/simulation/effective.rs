//! Computes the effective permissions of an identity.

use std::collections::BTreeSet;

use gatewright_policy::{Environment, PolicySet, Request, decide, decision_cost};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::rights;
use crate::model::simulation::{EffectivePermission, EffectivePermissions};
use crate::policies::simulation::target::MOST_DECISIONS;

impl Iam {
    /// Computes the effective permissions of an identity at present, by the policies of the
    /// caller's account and without a source IP address.
    pub async fn effective_permissions(
        &self,
        context: &Context,
        identity: &str,
    ) -> Result<EffectivePermissions, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let identity = self.identity(identity)?;
        let view = self.views.get(context.account()).await?;
        let caller = self.caller(&view, &identity);
        let set = view.policies();
        let mut resources = BTreeSet::new();
        // The permissions if all conditions held.
        let mut unconditional = set.clone();
        for urn in caller.identities() {
            for id in set.naming(urn) {
                let stored = self.stored_policy(context.account(), id).await?;
                match stored {
                    Some(policy) => {
                        let mut rule = policy.rule;
                        resources.extend(rule.resources.iter().cloned());
                        if rule.conditions.take().is_some() {
                            let rule = rule.compile(self.settings.region);
                            unconditional.insert(rule.map_err(IamError::internal)?);
                        }
                    }
                    // The role of a group applies to every resource.
                    None => drop(resources.insert(self.everything())),
                }
            }
        }
        let catalogue = self.catalogue();
        let environment = Environment { now: context.now, ip: None };
        let mut found = EffectivePermissions::default();
        let mut left = MOST_DECISIONS;
        let (cost, mut budget) = (2 * decision_cost(&caller, set, None), self.budget());
        for target in self.targets(context.account(), &view, &resources).await? {
            let names = catalogue.action_names(&target.resource_type);
            let cost = cost.saturating_mul(names.len() as u64);
            let less = left.checked_sub(names.len()).filter(|_| budget.spend(cost).is_ok());
            let Some(less) = less else {
                found.is_part = true;
                break;
            };
            left = less;
            budget.pause_after(cost).await;
            let resource = target.decided_resource(&view);
            let may = |action: &str, set: &PolicySet| {
                let request = Request { caller: &caller, action, resource, environment };
                decide(&request, set, None).is_allowed()
            };
            let (mut actions, mut conditional) = (Vec::new(), 0);
            for action in names {
                let at_present = may(action, set);
                if at_present || may(action, &unconditional) {
                    conditional += usize::from(!at_present);
                    actions.push(action.to_string());
                }
            }
            let (resource_type, resource) = (target.resource_type, target.urn);
            let total = names.len();
            found.add(EffectivePermission { resource_type, resource, actions, conditional, total });
        }
        Ok(found)
    }
}

impl EffectivePermissions {
    /// Adds a row, unless it has no actions or an earlier pattern implies it.
    fn add(&mut self, row: EffectivePermission) {
        let is_implied = self.permissions.iter().any(|one| {
            let head = one.resource.strip_suffix('*');
            let same = one.actions == row.actions && one.conditional == row.conditional;
            same && head.is_some_and(|head| row.resource.starts_with(head))
        });
        if !row.actions.is_empty() && !is_implied {
            self.permissions.push(row);
        }
    }
}
