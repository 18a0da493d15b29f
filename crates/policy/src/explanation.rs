//! Why a decision is what it is.

use std::ops::ControlFlow;

use uuid::Uuid;

use crate::decision::{Block, Decision, InForce, Question, Said, decide};
use crate::known::Known;
use crate::set::PolicySet;

/// What a policy that names the caller did, or what was missing for it to do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'p> {
    /// It forbids the action.
    Denies(Block<'p>),
    /// It grants the action.
    Grants(Block<'p>),
    /// It has expired.
    Expired,
    /// It is about other resources.
    OtherResource,
    /// Its conditions do not hold.
    ConditionFails,
    /// It allows the action, and takes it out again.
    Excepted(Block<'p>),
    /// It is about other actions.
    OtherAction,
}

/// A policy that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered<'p> {
    /// The account that owns the policy.
    pub owner: &'p str,
    /// The policy.
    pub policy: Uuid,
    /// The identity by which it is about the caller.
    pub identity: String,
    /// What came of it.
    pub outcome: Outcome<'p>,
}

/// A decision with every policy that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// The same that [`decide`] answers.
    pub decision: Decision<'p>,
    /// All policies of the owner, then of the caller's account, that name the caller.
    pub considered: Vec<Considered<'p>>,
}

/// Decides as [`decide`] does, and says what each policy contributed.
pub fn explain<'p>(
    question: &Question<'_>,
    owner: &'p PolicySet,
    home: Option<&'p PolicySet>,
) -> Explanation<'p> {
    let mut considered = Vec::new();
    let account = std::iter::once(question.caller.account_identity());
    let named = || question.caller.known().iter();
    if question.caller.account() == owner.owner() || question.caller.is_root() {
        consider(&mut considered, owner, named(), question);
    } else {
        consider(&mut considered, owner, named().chain(account), question);
        if let Some(home) = home {
            consider(&mut considered, home, named(), question);
        }
    }
    Explanation { decision: decide(question, owner, home), considered }
}

fn consider<'p, 'q>(
    considered: &mut Vec<Considered<'p>>,
    set: &'p PolicySet,
    identities: impl Iterator<Item = &'q Known>,
    question: &Question<'_>,
) {
    for identity in identities {
        let _ = set.each_of(identity, |policy| {
            let outcome = outcome(&InForce { set, policy }, question);
            let (owner, identity) = (set.owner(), identity.urn.to_string());
            considered.push(Considered { owner, policy: policy.id(), identity, outcome });
            ControlFlow::Continue(())
        });
    }
}

fn outcome<'p>(policy: &InForce<'p>, question: &Question<'_>) -> Outcome<'p> {
    let action = question.action;
    if policy.is_expired(question) {
        return Outcome::Expired;
    }
    if !policy.set.covers(policy.policy, question.resource.urn) {
        return Outcome::OtherResource;
    }
    if !policy.condition_holds(question) {
        return Outcome::ConditionFails;
    }
    match policy.says(action) {
        Some(Said::Deny(block)) => return Outcome::Denies(block),
        Some(Said::Grant(block)) => return Outcome::Grants(block),
        None => {}
    }
    let excepting = policy.blocks().find(|(_, permissions)| permissions.stance(action).excepts());
    excepting.map_or(Outcome::OtherAction, |(block, _)| Outcome::Excepted(block))
}
