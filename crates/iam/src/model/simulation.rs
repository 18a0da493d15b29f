//! Results of policy simulation: decisions with their reasons, effective permissions, and the
//! differences that a change makes.

use std::net::IpAddr;

use gatewright_policy::{Block, Instant, Outcome, PolicyId};

use crate::model::log::Reason;
use crate::model::policy::PolicyInput;

/// A request to simulate.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The URN of the identity that makes the request.
    pub identity: String,
    /// The action.
    pub action: String,
    /// The URN of the resource.
    pub resource: String,
    /// The client's IP address, if one is simulated.
    pub ip: Option<IpAddr>,
    /// The time of the request.
    pub at: Instant,
}

/// A proposed policy: one to update, create or delete.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The policy to update or delete; none to create one.
    pub id: Option<PolicyId>,
    /// The proposed content; none to delete the policy.
    pub input: Option<PolicyInput>,
}

/// The part of a policy that determined its contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The policy's own permissions.
    Own,
    /// A permissions group, by its URN.
    Group(String),
}

impl From<Block<'_>> for Part {
    fn from(block: Block<'_>) -> Self {
        match block {
            Block::Own => Self::Own,
            Block::Group(urn) => Self::Group(urn.to_owned()),
        }
    }
}

/// The contribution of a policy to a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contribution {
    /// Denies the action.
    Denies(Part),
    /// Allows the action.
    Allows(Part),
    /// Excludes the action from those that it allows.
    Excepts(Part),
    /// Has expired.
    Expired,
    /// Covers other resources.
    OtherResource,
    /// Has conditions that do not hold.
    ConditionFails,
    /// Covers other actions.
    OtherAction,
}

impl From<Outcome<'_>> for Contribution {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Denies(block) => Self::Denies(block.into()),
            Outcome::Grants(block) => Self::Allows(block.into()),
            Outcome::Excepted(block) => Self::Excepts(block.into()),
            Outcome::Expired => Self::Expired,
            Outcome::OtherResource => Self::OtherResource,
            Outcome::ConditionFails => Self::ConditionFails,
            Outcome::OtherAction => Self::OtherAction,
        }
    }
}

/// The source of a policy that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A stored policy, with its name.
    Stored(String),
    /// The proposal, with its name.
    Proposal(String),
    /// The role of a group.
    Role,
}

/// A policy that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedPolicy {
    /// The identifier of the policy.
    pub policy: PolicyId,
    /// The source of the policy.
    pub source: PolicySource,
    /// The URN by which the policy names the identity.
    pub identity: String,
    /// The contribution of the policy to the decision.
    pub contribution: Contribution,
}

/// A simulated decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationResult {
    /// True if the request is allowed.
    pub allowed: bool,
    /// The reason for the decision.
    pub reason: Reason,
    /// The determining policy, if there is one.
    pub policy: Option<PolicyId>,
    /// Every policy that names the identity.
    pub evaluated: Vec<EvaluatedPolicy>,
}

/// The effective permissions of an identity on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePermission {
    /// The type of the resource.
    pub resource_type: String,
    /// The URN of a resource, or a pattern.
    pub resource: String,
    /// The allowed actions.
    pub actions: Vec<String>,
    /// The number of them that are allowed only under conditions that do not hold at present.
    pub conditional: usize,
    /// The number of actions on resources of this type.
    pub total: usize,
}

/// The effective permissions of an identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EffectivePermissions {
    /// The permissions, for each resource or pattern.
    pub permissions: Vec<EffectivePermission>,
    /// True if only a part was examined, since the whole is too much.
    pub is_part: bool,
}

/// The actions that an identity would gain and lose on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDiff {
    /// The URN of the identity.
    pub identity: String,
    /// The URN of a resource, or a pattern.
    pub resource: String,
    /// The actions that it gains.
    pub gained: Vec<String>,
    /// The actions that it loses.
    pub lost: Vec<String>,
}

/// The change to the conditions of a policy, which no list of rights shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConditionsChange {
    /// No conditions before, and none after.
    #[default]
    None,
    /// Unchanged conditions; or no policy before, or none after.
    Stay,
    /// Other conditions than before.
    Change,
}

/// The effects of a proposed policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessDiffs {
    /// The differences, for each identity and resource.
    pub diffs: Vec<AccessDiff>,
    /// True if only a part was examined, since the whole is too much.
    pub is_part: bool,
    /// The change to its conditions, which are assumed to hold.
    pub conditions: ConditionsChange,
    /// True if the caller could no longer change policies (a lockout).
    pub locks_out: bool,
}

/// Findings about the policies of an account that deserve a review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Policies that allow every action, now and later.
    pub everything: Vec<PolicyId>,
    /// Policies that name an identity of the account that no longer exists.
    pub gone: Vec<PolicyId>,
    /// Policies that name no identity.
    pub nobody: Vec<PolicyId>,
    /// Policies that expire soon, with their expiry times.
    pub expiring: Vec<(Instant, PolicyId)>,
    /// Policies that have expired.
    pub expired: Vec<PolicyId>,
    /// Policies that deny a resource behind a guarded API by its name, to somebody who may do the
    /// same on every other name: `9` is denied, `09` is not.
    pub exact_denies: Vec<PolicyId>,
}
