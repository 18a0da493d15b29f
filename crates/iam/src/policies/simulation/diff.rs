//! Computes the access diff of a proposed change of a policy.

use std::collections::BTreeSet;

use gatewright_policy::{
    Environment, PolicyId, PolicySet, Request, compare, decide, decision_cost,
};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::policy::PolicyInput;
use crate::model::rights;
use crate::model::simulation::{AccessDiff, AccessDiffs, ConditionsChange, Proposal};
use crate::policies::simulation::target::{Conditions, MOST_DECISIONS};

impl Iam {
    /// Computes the permissions that identities would gain and lose on resources by a proposed
    /// change. Its conditions are taken to hold.
    pub async fn diffs(
        &self,
        context: &Context,
        proposal: Input<Proposal>,
    ) -> Result<AccessDiffs, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let proposal = proposal?;
        let old = proposal.id;
        let (id, input) = self.identified(proposal)?;
        let becomes = match input.clone() {
            None => None,
            Some(input) => Some(input.check(id, self.settings.region, &self.settings.limits)?.rule),
        };
        let account = context.account();
        let view = self.views.get(account).await?;
        let before = match old {
            None => None,
            Some(id) => Some(self.stored_policy(account, id).await?.ok_or(IamError::NotFound)?),
        };
        let present =
            before.clone().map(|policy| (policy.rule.id, Some(PolicyInput::from(policy))));
        let rules = [before.map(|policy| policy.rule), becomes];
        let list = |of: fn(&gatewright_policy::Policy) -> &Vec<String>| {
            rules.iter().flatten().flat_map(of).cloned().collect::<BTreeSet<String>>()
        };
        let (identities, resources) = (list(|rule| &rule.identities), list(|rule| &rule.resources));
        let sets = (
            self.proposed(view.policies(), present, Conditions::Ignored)?,
            self.proposed(view.policies(), Some((id, input.clone())), Conditions::Ignored)?,
        );
        let conditions = match &rules {
            [Some(was), Some(becomes)] if was.conditions != becomes.conditions => {
                ConditionsChange::Change
            }
            rules if rules.iter().flatten().any(|rule| rule.conditions.is_some()) => {
                ConditionsChange::Stay
            }
            _ => ConditionsChange::None,
        };
        let mut found = AccessDiffs {
            conditions,
            locks_out: self.locks_out(context, &view, (id, input))?,
            ..AccessDiffs::default()
        };
        let targets = self.targets(account, &view, &resources).await?;
        let environment = Environment { now: context.now, ip: context.ip };
        let catalogue = self.catalogue();
        let (mut left, mut budget) = (MOST_DECISIONS / 2, self.budget());
        for text in identities {
            let identity = self.identity(&text)?;
            let caller = self.caller(&view, &identity);
            let mut rows: Vec<AccessDiff> = Vec::new();
            let cost =
                decision_cost(&caller, &sets.0, None) + decision_cost(&caller, &sets.1, None);
            for target in &targets {
                let names = catalogue.action_names(&target.resource_type);
                let cost = cost.saturating_mul(names.len() as u64);
                let less = left.checked_sub(names.len()).filter(|_| budget.spend(cost).is_ok());
                let Some(less) = less else {
                    found.is_part = true;
                    break;
                };
                left = less;
                budget.pause_after(cost).await;
                let names = names.iter().map(|name| &**name);
                let resource = target.decided_resource(&view);
                let difference = compare(&caller, resource, environment, names, (&sets.0, &sets.1));
                let own = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
                let (gained, lost) = (own(difference.gained), own(difference.lost));
                let said = rows.iter().any(|one: &AccessDiff| {
                    let head = one.resource.strip_suffix('*');
                    head.is_some_and(|head| target.urn.starts_with(head))
                        && (&one.gained, &one.lost) == (&gained, &lost)
                });
                let nothing: &Vec<String> = &Vec::new();
                if !said && (&gained, &lost) != (nothing, nothing) {
                    let (identity, resource) = (text.clone(), target.urn.clone());
                    rows.push(AccessDiff { identity, resource, gained, lost });
                }
            }
            found.diffs.append(&mut rows);
        }
        Ok(found)
    }

    /// Returns whether the caller may change policies now, and could not after the change.
    fn locks_out(
        &self,
        context: &Context,
        view: &View,
        proposal: (PolicyId, Option<PolicyInput>),
    ) -> Result<bool, IamError> {
        let after = self.proposed(view.policies(), Some(proposal), Conditions::Evaluated)?;
        let account = self.account_urn(context.account());
        let may = |set: &PolicySet| {
            let request = Request {
                caller: &context.principal.caller,
                action: rights::POLICY_EDIT,
                resource: view.decided_resource(&account),
                environment: context.environment(),
            };
            decide(&request, set, None).is_allowed()
        };
        Ok(may(view.policies()) && !may(&after))
    }
}
