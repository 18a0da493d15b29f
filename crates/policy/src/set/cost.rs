//! Computes what decisions by the policies of a set cost, in the worst case. A cost of 1 is about ten
//! nanoseconds.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Bundle, PolicySet};
use crate::hashed_identity::{HashedIdentity, IdentityHash};
use crate::policy::{CompiledPolicy, GROUP_COST};

impl PolicySet {
    /// Returns the cost of evaluating a policy of the set for one request, in the worst case.
    fn cost_of(&self, policy: &CompiledPolicy) -> u64 {
        let groups = policy.permissions_groups.iter().map(|urn| {
            let permissions = self.permissions_group(urn);
            u64::from(GROUP_COST) + permissions.map_or(0, |group| u64::from(group.cost()))
        });
        u64::from(policy.cost()) + groups.sum::<u64>()
    }

    /// Returns the cost of a decision by the policies that name an identity, given by its canonical
    /// URN, in the worst case. A cost of 1 is about ten nanoseconds.
    pub fn cost_of_identity(&self, identity: &str) -> u64 {
        match self.by_identity.get(&IdentityHash::of(identity)) {
            None => 0,
            Some(Bundle::Many(many)) => many.values().map(|policy| self.cost_of(policy)).sum(),
            Some(bundle) => bundle.few().iter().map(|policy| self.cost_of(policy)).sum(),
        }
    }

    /// Returns the cost of a decision by the policies that name each identity, by its canonical URN.
    pub fn costs_of_identities(&self) -> BTreeMap<&str, u64> {
        let mut costs = BTreeMap::new();
        for policy in self.policies.values() {
            let cost = self.cost_of(policy);
            for urn in policy.identities() {
                *costs.entry(urn).or_default() += cost;
            }
        }
        costs
    }

    /// Returns the cost of one pass over the policies that name some identities.
    pub(crate) fn cost_of_pass(&self, identities: &[HashedIdentity]) -> u64 {
        let mut cost = 0;
        for identity in identities {
            let _ = self.each_of(identity, |policy| {
                cost += self.cost_of(policy);
                ControlFlow::Continue(())
            });
        }
        cost
    }
}
