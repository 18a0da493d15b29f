//! What policies come to: a decision with its reasons, what somebody may do, what a change would
//! change.

use std::net::IpAddr;

use gatewright_policy::{Block, Instant, Outcome, PolicyId};

use crate::model::log::Reason;
use crate::model::policy::PolicyInput;

/// A request to try.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The URN of who asks.
    pub identity: String,
    /// What they want to do.
    pub action: String,
    /// The URN of what they want to do it on.
    pub resource: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// When.
    pub at: Instant,
}

/// A policy as it may become: one that is changed, made, or deleted.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The policy that is changed; none when one is made.
    pub id: Option<PolicyId>,
    /// What it shall be; none when it is deleted.
    pub input: Option<PolicyInput>,
}

/// Which part of a policy decided.
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

/// What came of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contribution {
    /// It forbids the action.
    Denies(Part),
    /// It allows the action.
    Allows(Part),
    /// It takes the action out of what it allows.
    Excepts(Part),
    /// It has expired.
    Expired,
    /// It is about other resources.
    OtherResource,
    /// Its conditions do not hold.
    ConditionFails,
    /// It is about other actions.
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

/// A policy that was examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// What it is called; none where it is not stored, as a proposal or the role of a group.
    pub name: Option<String>,
    /// The URN by which it is about who asks.
    pub identity: String,
    /// What came of it.
    pub contribution: Contribution,
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationResult {
    /// Whether they may.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// The policy that decided.
    pub policy: Option<PolicyId>,
    /// Every policy that names who asks.
    pub evaluated: Vec<EvaluatedPolicy>,
}

/// What an identity may do on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePermissions {
    /// The type of the resource.
    pub kind: String,
    /// The URN of a resource, or a pattern.
    pub resource: String,
    /// The actions.
    pub actions: Vec<String>,
    /// How many of them only where the conditions of policies hold, which they do not at present.
    pub conditional: usize,
    /// How many actions there are on resources of this type.
    pub total: usize,
}

/// What an identity would gain and lose on something.
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

/// What becomes of the conditions of a policy, which no list of rights shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConditionsChange {
    /// It had none, and gets none.
    #[default]
    None,
    /// They stay as they are, or there was no policy before, or is none after.
    Stay,
    /// They are others.
    Change,
}

/// What a proposal would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessDiffs {
    /// For whom, on what.
    pub diffs: Vec<AccessDiff>,
    /// Whether not all of it was examined, since it is too much.
    pub is_part: bool,
    /// What becomes of its conditions, which are taken to hold.
    pub conditions: ConditionsChange,
    /// Whether the caller could not change policies any more.
    pub locks_out: bool,
}

/// What somebody should look at among the policies of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Those that allow every action, now and later.
    pub everything: Vec<PolicyId>,
    /// Those that name an identity of the account that is gone.
    pub gone: Vec<PolicyId>,
    /// Those that name nobody.
    pub nobody: Vec<PolicyId>,
    /// Those that expire soon, and when.
    pub expiring: Vec<(Instant, PolicyId)>,
    /// Those that have expired.
    pub expired: Vec<PolicyId>,
}
