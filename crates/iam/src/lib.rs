//! Gatewright's use cases.
//!
//! Everything that can be asked of Gatewright is a method of [`Iam`]. Each takes a [`Context`] that
//! says who asks, and demands the rights it needs before it does anything else; so no route and no
//! page can go round the policies. What a caller sent is passed in as a [`Draft`], read or refused:
//! the refusal counts only once the caller is known to have the right.

pub mod clock;
pub mod rights;

mod account;
mod audit;
mod caller;
mod catalogue;
mod check;
mod client;
mod effect;
mod error;
mod evaluation;
mod factor;
mod group;
mod guard;
mod guarded_api;
mod iam;
mod input;
mod log;
mod page;
mod passage;
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
mod throttle;
mod token;
mod user;
mod user_token;
mod view;
mod write;

pub use account::{NewAccount, Particulars, Profile, Robot};
pub use audit::{Event, Events};
pub use caller::{Context, Principal, PrincipalKind};
pub use catalogue::{
    Action, ApiError, Catalogue, CatalogueError, Category, MANAGED_OWNER, ManagedGroup, Target,
    Unclear, propose, read_document,
};
pub use check::Checked;
pub use client::{Client, ClientDraft, ClientEdit, Flow};
pub use effect::{
    ConditionsShift, Contribution, Findings, Looked, Part, Proposal, Reach, Shift, Shifts, Trial,
    Verdict,
};
pub use error::{Fault, IamError};
pub use evaluation::{Evaluated, Evaluation, SubjectKind};
pub use factor::{Factors, NewTotp};
pub use gatewright_policy::{
    Condition, Fact, Identity, IdentityKind, Operator, Permissions, Plate, ResourceUrn, UrnError,
    permissions_group_urn, resource_group_urn,
};
pub use gatewright_store::{Address, Kind, StoreError};
pub use group::{Group, GroupDraft, Role};
pub use guarded_api::GuardedApi;
pub use iam::{Iam, Limits, OpenError, Settings};
pub use input::Draft;
pub use log::{Call, Line, LogFilter, LogKind, LogLines, Reason, Tallies};
pub use page::{Page, PageRequest};
pub use passage::{Passage, Passenger, Refusal};
pub use passkey::{Challenge, Passkey};
pub use permissions_group::{PermissionsGroup, PermissionsGroupDraft};
pub use policy::{Policy, PolicyDraft, PolicyFilter, PolicyTarget};
pub use query_id::QueryId;
pub use replica::Followed;
pub use resource::{
    NewResource, Resource, ResourceFilter, TagFilter, TagOperator, like, resource_id,
};
pub use resource_group::{Member, ResourceGroup, ResourceGroupDraft};
pub use revision::Revision;
pub use secret::Secret;
pub use session::{Attempt, Origin, Session, SessionToken, SignInError, SignedIn};
pub use token::{
    Algorithm, Grant, Introspection, Issued, KeyError, MasterKey, ProjectRoles, TokenError,
};
pub use user::{User, UserDraft, UserEdit, UserKind};
pub use user_token::{Expiry, UserToken, UserTokenDraft, UserTokenEdit};
