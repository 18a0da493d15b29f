//! Implements Gatewright's use cases, each of which checks the rights of its caller.
//!
//! Every use case is a method of [`Iam`]. It takes a [`Context`] with the authenticated principal,
//! and demands the rights it needs before it does anything else; so no route and no page can bypass
//! the policies. The input of a request is passed in as an [`Input`], parsed or invalid: a use case
//! reports the error only once the caller is authorized.

mod activity;
mod apis;
mod catalogue;
mod core;
mod decisions;
#[cfg(test)]
mod documented_limits;
mod engine;
mod identities;
mod model;
mod policies;
mod replication;
mod resources;
mod sources;
mod tokens;
#[cfg(test)]
mod waiting_requests;

// Shared by all use cases.
pub use self::core::iam::{Iam, NotReady, OpenError};
pub use engine::keyed_semaphores::{KeyedPlace, KeyedSemaphores};
pub use gatewright_policy::{
    AccountName, ClientId, Condition, Fact, GroupName, Identity, IdentityKind, Instant, Login,
    Operator, PasskeyId, Pattern, PatternError, Permissions, PermissionsGroupId, PolicyId, Region,
    ResourceGroupId, ResourceId, ResourcePattern, ResourceUrn, Revision, SessionId, TokenId,
    UrnError, permissions_group_urn, resource_group_urn,
};
pub use gatewright_store::{Address, CauseChain, Kind, ServerLock, StoreError};
pub use model::caller::{Context, Origin, Principal, PrincipalKind, RequestConditions};
pub use model::device::KNOWN_FOR as DEVICE_KNOWN_FOR;
pub use model::error::{Fault, IamError, Overload};
pub use model::idempotency_key::IdempotencyKey;
pub use model::input::Input;
pub use model::json_keys::{AnyKeys, KeySchema, KeyTree, check_keys};
pub use model::limits::{self, Limits};
pub use model::mismatch::Mismatch;
pub use model::network::Network;
pub use model::page::{Page, PageRequest};
pub use model::precondition::{EntityTag, Precondition, TagMatch};
pub use model::query_id::QueryId;
pub use model::rate::{RateLimit, Rates, RequestClass};
pub use model::revision::AccountRevision;
pub use model::rights::{self, Category};
pub use model::secret::Secret;
pub use model::settings::{BuiltInProducts, LogSizes, Settings};
pub use model::strict_objects::{StrictObjects, from_json_value, parse_json};
pub use model::transport::{AuthenticationMark, BodyFailure, Recipient, StaticBody};
pub use sources::{Clock, Randomness, Sources};

// Identities.
pub use model::account::{InitialServiceAccount, NewAccount, Profile, SecondFactor, check_account};
pub use model::client::{Client, ClientEdit, ClientInput, Flow};
pub use model::contact_details::ContactDetails;
pub use model::group::{Group, GroupInput, Role};
pub use model::passkey::{Challenge, Passkey};
pub use model::session::{
    Attempt, Reauthentication, Session, SessionAccess, SessionToken, SignInError, SignedIn,
};
pub use model::totp::{NewTotp, TotpStatus};
pub use model::user::{User, UserEdit, UserInput, UserKind};
pub use model::user_token::{Expiry, UserToken, UserTokenEdit, UserTokenInput};

// Policies.
pub use model::permissions_group::{MANAGED_OWNER, PermissionsGroup, PermissionsGroupInput};
pub use model::policy::{Attachment, Policy, PolicyFilter, PolicyInput, PolicyTarget};
pub use model::simulation::{
    AccessDiff, AccessDiffs, ConditionsChange, Contribution, EffectivePermission,
    EffectivePermissions, EvaluatedPolicy, Findings, Part, PolicySource, Proposal, Simulation,
    SimulationResult,
};

// Resources.
pub use model::resource::{NewResource, Resource, is_system_tag, resource_id};
pub use model::resource_filter::{ResourceFilter, TagFilter, TagOperator, like};
pub use model::resource_group::{Member, ResourceGroup, ResourceGroupInput};

// Tokens.
pub use engine::vault::{KeyError, MasterKey};
pub use model::token::{
    Algorithm, Grant, Introspection, Issued, KeyRotation, ProjectRoles, TokenError,
};

// Decisions.
pub use decisions::check::CheckResult;
pub use decisions::forwarded_request::{AuthorizedCaller, ForwardedRequest, Refusal};
pub use model::evaluation::{Evaluation, EvaluationResult, EvaluationsSemantic, SubjectKind};

// Guarded APIs, and the catalogue of all actions.
pub use catalogue::action::{Action, ManagedGroup};
pub use catalogue::document::read_document;
pub use catalogue::error::{ApiError, CatalogueError};
pub use catalogue::index::Catalogue;
pub use catalogue::propose::propose;
pub use catalogue::target::{Target, TargetError};
pub use model::guarded_api::GuardedApi;

// Activity.
pub use model::event::{Event, Events};
pub use model::log::{Call, HourlyCounts, Line, LogFilter, LogKind, LogLines, Reason};
pub use model::log_terms::{LineFilter, Outcome};

// Replication.
pub use replication::replica::{ReachedEntry, ReplicaPlace, ReplicaPosition};
