//! Explains decisions.

use std::ops::ControlFlow;

use crate::decision::{Block, BlockEffect, Decision, PolicyInSet, decide};
use crate::hashed_identity::HashedIdentity;
use crate::id::{AccountName, PolicyId};
use crate::request::Request;
use crate::set::PolicySet;

/// The outcome of evaluating a policy that names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'p> {
    /// The policy denies the action.
    Denies(Block<'p>),
    /// The policy grants the action.
    Grants(Block<'p>),
    /// The policy has expired.
    Expired,
    /// The policy covers other resources.
    OtherResource,
    /// The conditions of the policy do not hold.
    ConditionFails,
    /// The policy allows the action, and excepts it.
    Excepted(Block<'p>),
    /// The policy covers other actions.
    OtherAction,
}

/// A policy that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedPolicy<'p> {
    /// The account that owns the policy.
    pub owner: &'p AccountName,
    /// The policy.
    pub policy: PolicyId,
    /// The identity in the policy that matched the caller.
    pub identity: String,
    /// The outcome.
    pub outcome: Outcome<'p>,
}

/// A decision with all evaluated policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// The decision, equal to that of [`decide`].
    pub decision: Decision<'p>,
    /// All policies that name the caller: the owner's, then those of the caller's account.
    pub evaluated: Vec<EvaluatedPolicy<'p>>,
}

/// Decides as [`decide`] does, and returns the outcome of each policy as well.
pub fn explain<'p>(
    request: &Request<'_>,
    owner: &'p PolicySet,
    home: Option<&'p PolicySet>,
) -> Explanation<'p> {
    let mut evaluated = Vec::new();
    let account = std::iter::once(request.caller.account_identity());
    let named = || request.caller.hashed_identities().iter();
    if request.caller.account() == owner.owner() || request.caller.is_root() {
        evaluate_each(&mut evaluated, owner, named(), request);
    } else {
        evaluate_each(&mut evaluated, owner, named().chain(account), request);
        if let Some(home) = home {
            evaluate_each(&mut evaluated, home, named(), request);
        }
    }
    Explanation { decision: decide(request, owner, home), evaluated }
}

fn evaluate_each<'p, 'q>(
    evaluated: &mut Vec<EvaluatedPolicy<'p>>,
    set: &'p PolicySet,
    identities: impl Iterator<Item = &'q HashedIdentity>,
    request: &Request<'_>,
) {
    for identity in identities {
        let _ = set.each_of(identity, |policy| {
            let outcome = outcome(&PolicyInSet { set, policy }, request);
            let (owner, identity) = (set.owner(), identity.urn.to_string());
            evaluated.push(EvaluatedPolicy { owner, policy: policy.id(), identity, outcome });
            ControlFlow::Continue(())
        });
    }
}

fn outcome<'p>(policy: &PolicyInSet<'p>, request: &Request<'_>) -> Outcome<'p> {
    let action = request.action;
    if policy.is_expired(request) {
        return Outcome::Expired;
    }
    if !policy.set.covers(policy.policy, request.resource.urn) {
        return Outcome::OtherResource;
    }
    if !policy.condition_holds(request) {
        return Outcome::ConditionFails;
    }
    match policy.effect_on(action) {
        Some(BlockEffect::Deny(block)) => return Outcome::Denies(block),
        Some(BlockEffect::Grant(block)) => return Outcome::Grants(block),
        None => {}
    }
    let excepting =
        policy.blocks().find(|(_, permissions)| permissions.action_match(action).excepts());
    excepting.map_or(Outcome::OtherAction, |(block, _)| Outcome::Excepted(block))
}
