//! Decides requests by the policies of one or two accounts.

use std::ops::ControlFlow;

use crate::action::action_type;
use crate::hashed_identity::HashedIdentity;
use crate::id::{AccountName, PolicyId};
use crate::permissions::CompiledPermissions;
use crate::policy::CompiledPolicy;
use crate::request::{Caller, Request};
use crate::set::PolicySet;

/// The part of the determining policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block<'p> {
    /// The policy's own permissions.
    Own,
    /// A permissions group, by its URN.
    Group(&'p str),
}

/// The determining policy, and the part of it that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeterminingPolicy<'p> {
    /// The account that owns the policy.
    pub owner: &'p AccountName,
    /// The policy.
    pub policy: PolicyId,
    /// The part of the policy.
    pub block: Block<'p>,
}

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// Allowed: the caller is the root of its own account.
    Root,
    /// Allowed by a policy of the resource's owner.
    Allowed(DeterminingPolicy<'p>),
    /// Allowed by a policy of the caller's account, within the permissions that the owner granted
    /// to that account.
    PassedOn {
        /// The policy of the resource's owner.
        given: DeterminingPolicy<'p>,
        /// The policy of the caller's account.
        passed: DeterminingPolicy<'p>,
    },
    /// Denied: the action is outside the scope of the token.
    OutOfScope,
    /// Denied: the action does not exist on resources of this type.
    WrongType,
    /// Denied by a policy.
    Denied(DeterminingPolicy<'p>),
    /// Denied: no policy allows it.
    NotAllowed,
}

impl Decision<'_> {
    /// Returns whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Root | Self::Allowed(_) | Self::PassedOn { .. })
    }
}

/// The combined effect of an account's policies for some identities.
pub(crate) enum PolicyEffect<'p> {
    Denied(DeterminingPolicy<'p>),
    Granted(DeterminingPolicy<'p>),
    Silent,
}

/// Decides a request.
///
/// `owner` holds the policies of the account that owns the resource; `home` those of the caller's
/// account if that is another one. Without `home`, permissions that were granted to the caller's
/// account are not delegated: only those granted to the caller by name count.
///
/// A `deny` of the caller's own account also applies to permissions that the owner granted to the
/// caller by name.
pub fn decide<'p>(
    request: &Request<'_>,
    owner: &'p PolicySet,
    home: Option<&'p PolicySet>,
) -> Decision<'p> {
    let Request { caller, action, resource, .. } = request;
    if !caller.scope().covers(action) {
        return Decision::OutOfScope;
    }
    if action_type(action) != resource.resource_type {
        return Decision::WrongType;
    }
    let at_home = caller.account() == owner.owner();
    if caller.is_root() && at_home {
        return Decision::Root;
    }
    let direct = evaluate(owner, caller.hashed_identities(), request);
    if let PolicyEffect::Denied(determining) = direct {
        return Decision::Denied(determining);
    }
    let home =
        home.filter(|home| !at_home && !caller.is_root() && caller.account() == home.owner());
    let passed = match home {
        None => PolicyEffect::Silent,
        Some(home) => evaluate(home, caller.hashed_identities(), request),
    };
    match (direct, passed) {
        (_, PolicyEffect::Denied(determining)) => Decision::Denied(determining),
        (PolicyEffect::Granted(determining), _) => Decision::Allowed(determining),
        (_, PolicyEffect::Granted(passed)) => {
            match evaluate(owner, std::slice::from_ref(caller.account_identity()), request) {
                PolicyEffect::Granted(given) => Decision::PassedOn { given, passed },
                PolicyEffect::Denied(determining) => Decision::Denied(determining),
                PolicyEffect::Silent => Decision::NotAllowed,
            }
        }
        _ => Decision::NotAllowed,
    }
}

/// Returns the cost of a decision for a caller in the worst case, by the policies that [`decide`]
/// would evaluate. A cost of 1 is about ten nanoseconds.
pub fn decision_cost(caller: &Caller, owner: &PolicySet, home: Option<&PolicySet>) -> u64 {
    let at_home = caller.account() == owner.owner();
    if caller.is_root() && at_home {
        return 1;
    }
    let delegated = home.filter(|_| !at_home).map_or(0, |home| {
        let given = owner.cost_of_pass(std::slice::from_ref(caller.account_identity()));
        home.cost_of_pass(caller.hashed_identities()) + given
    });
    1 + owner.cost_of_pass(caller.hashed_identities()) + delegated
}

/// Evaluates the policies of `set` that name one of `identities`.
pub(crate) fn evaluate<'p>(
    set: &'p PolicySet,
    identities: &[HashedIdentity],
    request: &Request<'_>,
) -> PolicyEffect<'p> {
    let mut granted = None;
    for identity in identities {
        let mut denied = None;
        let flow = set.each_of(identity, |policy| {
            let view = PolicyInSet { set, policy };
            let urn = request.resource.urn;
            let named = policy.cover.names(urn);
            // Most policies cover other resources, which is cheap to determine unless they use
            // groups.
            if view.is_expired(request) || !(named || policy.cover.has_groups()) {
                return ControlFlow::Continue(());
            }
            let in_force =
                || (named || set.covers_by_group(policy, urn)) && view.condition_holds(request);
            match view.effect_on(request.action) {
                Some(BlockEffect::Deny(block)) if in_force() => {
                    denied = Some(view.determining(block));
                    return ControlFlow::Break(());
                }
                Some(BlockEffect::Grant(block)) if granted.is_none() && in_force() => {
                    granted = Some(view.determining(block));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        });
        if let (ControlFlow::Break(()), Some(determining)) = (flow, denied) {
            return PolicyEffect::Denied(determining);
        }
    }
    granted.map_or(PolicyEffect::Silent, PolicyEffect::Granted)
}

/// The effect of a policy on an action, and its block.
pub(crate) enum BlockEffect<'p> {
    Deny(Block<'p>),
    Grant(Block<'p>),
}

/// A policy with the set that holds its groups.
pub(crate) struct PolicyInSet<'p> {
    pub(crate) set: &'p PolicySet,
    pub(crate) policy: &'p CompiledPolicy,
}

impl<'p> PolicyInSet<'p> {
    fn determining(&self, block: Block<'p>) -> DeterminingPolicy<'p> {
        DeterminingPolicy { owner: self.set.owner(), policy: self.policy.id, block }
    }

    pub(crate) fn is_expired(&self, request: &Request<'_>) -> bool {
        self.policy.expires.is_some_and(|expires| expires <= request.environment.now)
    }

    pub(crate) fn condition_holds(&self, request: &Request<'_>) -> bool {
        let condition = self.policy.condition.as_ref();
        condition.is_none_or(|one| one.holds(&request.resource, &request.environment))
    }

    /// Returns the blocks that still exist: the policy's own, then each permissions group.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Block<'p>, &'p CompiledPermissions)> {
        let set = self.set;
        let groups = self.policy.permissions_groups.iter().filter_map(move |urn| {
            set.permissions_group(urn).map(|permissions| (Block::Group(urn), permissions))
        });
        std::iter::once((Block::Own, &self.policy.permissions)).chain(groups)
    }

    /// Returns the effect on the action: that of the first block that denies it, else of the first
    /// that grants it.
    pub(crate) fn effect_on(&self, action: &str) -> Option<BlockEffect<'p>> {
        let mut granted = None;
        for (block, permissions) in self.blocks() {
            let action_match = permissions.action_match(action);
            if action_match.denies() {
                return Some(BlockEffect::Deny(block));
            }
            if granted.is_none() && action_match.grants() {
                granted = Some(BlockEffect::Grant(block));
            }
        }
        granted
    }
}
