//! Decides whether a caller may perform an action on a resource.
//!
//! This crate is pure: it does no I/O, reads no clock and is never asynchronous. [`Policy`] is the
//! text that a person wrote; [`Policy::compile`] refuses malformed ones; a [`PolicySet`] holds the
//! compiled policies of one account, indexed by identity; and [`decide`] is a function of such sets
//! and a [`Request`]. [`explain`] returns the same decision with its reasons, and [`compare`]
//! compares two sets. A [`Replica`] decides in another process, by the [`Fact`]s that follow an
//! account's journal.
//!
//! The language is that of OVHcloud's access policies: they grant identities (accounts, users,
//! groups of users, service accounts) actions on resources, by `allow`, `except` and `deny`, with
//! permissions groups, resource groups, conditions and an expiry.

mod action;
mod automaton;
mod comparison;
mod condition;
mod decision;
mod explanation;
mod fact;
mod hashed_identity;
mod id;
mod identity;
mod instant;
mod pattern;
mod patterns;
mod permissions;
mod policy;
mod replica;
mod request;
mod resource_urn;
mod revision;
mod set;
mod urn;
mod visible;

pub use action::{ActionError, Scope, action_type, check_action};
pub use comparison::{Difference, compare};
pub use condition::{Condition, ConditionError, MAX_DEPTH, Operator};
pub use decision::{Block, Decision, DeterminingPolicy, decide, decision_cost};
pub use explanation::{EvaluatedPolicy, Explanation, Outcome, explain};
pub use fact::{Fact, FactError};
pub use id::{
    AccountName, ClientId, GroupName, Login, PasskeyId, PermissionsGroupId, PolicyId,
    ResourceGroupId, ResourceId, SessionId, TokenId,
};
pub use identity::{Identity, IdentityKind};
pub use instant::Instant;
pub use pattern::{Pattern, PatternError};
pub use permissions::{
    ActionMatch, CompiledPermissions, LONGEST_ACTION, Lists, Permissions, PermissionsError,
};
pub use policy::{CompiledPolicy, LONGEST_URN, Policy, PolicyError};
pub use replica::{Replica, ReplicaRequest};
pub use request::{Caller, Environment, Request, Resource, Tags};
pub use resource_urn::{ResourcePattern, ResourceUrn};
pub use revision::Revision;
pub use set::{Members, PolicySet};
pub use urn::{Region, UrnError, permissions_group_urn, resource_group_urn};
pub use visible::{hidden_character, is_invisible};
