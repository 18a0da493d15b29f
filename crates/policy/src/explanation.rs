//! Explains decisions.

use std::ops::ControlFlow;

use crate::decision::{Block, BlockEffect, Decision, PolicyInSet, decide};
use crate::hashed_identity::HashedIdentity;
use crate::id::PolicyId;
use crate::request::Request;
use crate::set::PolicySet;

/// The outcome of evaluating a policy that names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'p> {
    /// It denies the action.
    Denies(Block<'p>),
    /// It grants the action.
    Grants(Block<'p>),
    /// It has expired.
    Expired,
    /// It covers other resources.
    OtherResource,
    /// Its conditions do not hold.
    ConditionFails,
    /// It allows the action, and excepts it.
    Excepted(Block<'p>),
    /// It covers other actions.
    OtherAction,
}

/// A policy that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedPolicy<'p> {
    /// The account that owns the policy.
    pub owner: &'p str,
    /// The policy.
    pub policy: PolicyId,
    /// The identity by which it names the caller.
    pub identity: String,
    /// The outcome.
    pub outcome: Outcome<'p>,
}

/// A decision with every policy that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// The same that [`decide`] answers.
    pub decision: Decision<'p>,
    /// All policies of the owner, then of the caller's account, that name the caller.
    pub evaluated: Vec<EvaluatedPolicy<'p>>,
}

/// Decides as [`decide`] does, and returns the outcome of each policy.
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
