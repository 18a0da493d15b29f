//! Computes the effective permissions of an identity.

use std::collections::BTreeSet;

use gatewright_policy::{Environment, PolicySet, Request, decide};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::rights;
use crate::model::simulation::EffectivePermissions;
use crate::policies::simulation::target::MOST_DECISIONS;

impl Iam {
    /// Computes the effective permissions of an identity at present, by the policies of the
    /// caller's account and without a source IP address.
    pub async fn effective_permissions(
        &self,
        context: &Context,
        identity: &str,
    ) -> Result<Vec<EffectivePermissions>, IamError> {
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
        let mut permissions: Vec<EffectivePermissions> = Vec::new();
        let mut left = MOST_DECISIONS;
        for target in self.targets(context.account(), &view, &resources).await? {
            let names = catalogue.action_names(&target.resource_type);
            let Some(less) = left.checked_sub(names.len()) else { break };
            left = less;
            let resource = target.decided_resource(&view);
            let may = |action: &String, set: &PolicySet| {
                let request = Request { caller: &caller, action, resource, environment };
                decide(&request, set, None).is_allowed()
            };
            let mut conditional = 0;
            let mut actions: Vec<String> = Vec::new();
            for action in names {
                let at_present = may(action, set);
                if at_present || may(action, &unconditional) {
                    conditional += usize::from(!at_present);
                    actions.push(action.clone());
                }
            }
            if actions.is_empty() {
                continue;
            }
            // A row that an earlier pattern implies is omitted.
            let said = permissions.iter().any(|one| {
                let head = one.resource.strip_suffix('*');
                let same = one.actions == actions && one.conditional == conditional;
                same && head.is_some_and(|head| target.urn.starts_with(head))
            });
            if !said {
                let (resource_type, resource) = (target.resource_type, target.urn);
                let total = names.len();
                permissions.push(EffectivePermissions {
                    resource_type,
                    resource,
                    actions,
                    conditional,
                    total,
                });
            }
        }
        Ok(permissions)
    }
}
