//! Gatewright's use cases.
//!
//! Everything that can be asked of Gatewright is a method of [`Iam`]. Each takes a [`Context`] that
//! says who asks, and demands the rights it needs before it does anything else; so no route and no
//! page can go round the policies. What a caller sent is passed in as a [`Input`], read or refused:
//! the refusal counts only once the caller is known to have the right.

pub mod clock;
pub mod rights;

mod account;
mod audit;
mod caller;
mod catalogue;
mod check;
mod client;
mod error;
mod evaluation;
mod forwarded_request;
mod group;
mod guard;
mod guarded_api;
mod iam;
mod input;
mod log;
mod page;
mod passkey;
mod permissions_group;
mod policy;
mod query_id;
mod replica;
mod resource;
mod resource_group;
mod revision;
mod secret;
mod session;
mod simulation;
mod throttle;
mod token;
mod totp;
mod user;
mod user_token;
mod view;
mod write;

pub use account::{ContactDetails, InitialServiceAccount, NewAccount, Profile};
pub use audit::{Event, Events};
pub use caller::{Context, Principal, PrincipalKind};
pub use catalogue::{
    Action, ApiError, Catalogue, CatalogueError, Category, MANAGED_OWNER, ManagedGroup, Target,
    TargetError, propose, read_document,
};
pub use check::CheckResult;
pub use client::{Client, ClientEdit, ClientInput, Flow};
pub use error::{Fault, IamError};
pub use evaluation::{Evaluation, EvaluationResult, SubjectKind};
pub use forwarded_request::{AuthorizedCaller, ForwardedRequest, Refusal};
pub use gatewright_policy::{
    Condition, Fact, Identity, IdentityKind, Operator, Permissions, Region, ResourceUrn, UrnError,
    permissions_group_urn, resource_group_urn,
};
pub use gatewright_store::{Address, Kind, StoreError};
pub use group::{Group, GroupInput, Role};
pub use guarded_api::GuardedApi;
pub use iam::{Iam, Limits, OpenError, Settings};
pub use input::Input;
pub use log::{Call, HourlyCounts, Line, LogFilter, LogKind, LogLines, Reason};
pub use page::{Page, PageRequest};
pub use passkey::{Challenge, Passkey};
pub use permissions_group::{PermissionsGroup, PermissionsGroupInput};
pub use policy::{Policy, PolicyFilter, PolicyInput, PolicyTarget};
pub use query_id::QueryId;
pub use replica::Followed;
pub use resource::{
    NewResource, Resource, ResourceFilter, TagFilter, TagOperator, like, resource_id,
};
pub use resource_group::{Member, ResourceGroup, ResourceGroupInput};
pub use revision::Revision;
pub use secret::Secret;
pub use session::{Attempt, Origin, Session, SessionToken, SignInError, SignedIn};
pub use simulation::{
    AccessDiff, AccessDiffs, ConditionsChange, Contribution, EffectivePermissions, EvaluatedPolicy,
    Findings, Part, Proposal, Simulation, SimulationResult,
};
pub use token::{
    Algorithm, Grant, Introspection, Issued, KeyError, MasterKey, ProjectRoles, TokenError,
};
pub use totp::{MfaMethods, NewTotp};
pub use user::{User, UserEdit, UserInput, UserKind};
pub use user_token::{Expiry, UserToken, UserTokenEdit, UserTokenInput};
