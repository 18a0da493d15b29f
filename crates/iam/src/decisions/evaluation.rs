//! Decisions that a service requests about other principals, as a guarded API does (AuthZEN).

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, ClientId, GroupName, Identity, IdentityKind, Instant, Login, PolicyId,
    ResourceUrn, Scope, Tags,
};

use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal, PrincipalKind, Token};
use crate::model::error::IamError;
use crate::model::group::{BUILT_IN, is_built_in};
use crate::model::input::Input;
use crate::model::log::Reason;
use crate::model::principal_key::{group_key, group_of_key, login_of_key, user_key};
use crate::model::rights;

/// The maximum number of subjects, resources or actions that a search evaluates.
const MOST: usize = 100_000;

/// The type of the subject of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// A service account, by its identifier or its URN.
    ServiceAccount,
    /// A user, by their login or URN.
    User,
    /// A group of users, by its name or URN.
    Group,
    /// The principal of a token, with the token's scope, while the token is active.
    Token,
}

/// An evaluation request.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The type of the subject; none where it is not one of this server's.
    pub subject_kind: Option<SubjectKind>,
    /// The identifier of the subject.
    pub subject: String,
    /// The action: its full name, or the part after the last colon, where only one action on the
    /// resource type has it.
    pub action: String,
    /// The resource type.
    pub resource_type: String,
    /// The name of the resource.
    pub resource: String,
    /// The account that owns the resource, where no registrar registered it. The default is the
    /// subject's account.
    pub owner: Option<AccountName>,
    /// The properties of the subject, the action and the resource that the request asserts. They
    /// count as tags of the resource where the caller has the right to assert them, and never
    /// override those that it has.
    pub properties: Tags,
    /// The source IP address, as the calling service saw it.
    pub ip: Option<IpAddr>,
    /// The time of the request. The default is now.
    pub at: Option<Instant>,
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationResult {
    /// `true` if the action is allowed.
    pub allowed: bool,
    /// The reason; none where nothing was decided, since the subject or the resource does not
    /// exist.
    pub reason: Option<Reason>,
    /// The determining policy.
    pub policy: Option<PolicyId>,
}

impl EvaluationResult {
    const UNKNOWN: Self = Self { allowed: false, reason: None, policy: None };
}

/// The end of several evaluations (AuthZEN's `evaluations_semantic`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationsSemantic {
    /// All requests are evaluated.
    ExecuteAll,
    /// The first request that is denied is the last that is evaluated.
    DenyOnFirstDeny,
    /// The first request that is allowed is the last that is evaluated.
    PermitOnFirstPermit,
}

impl EvaluationsSemantic {
    /// Returns whether a request is the last that is evaluated.
    fn ends_with(self, allowed: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !allowed,
            Self::PermitOnFirstPermit => allowed,
        }
    }
}

/// The properties that a request asserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AssertedProperties {
    /// They count as tags of the resource.
    Trusted,
    /// The caller has no right to assert any.
    Ignored,
}

/// The part of a request that a search varies.
#[derive(Debug, Clone, Copy)]
enum Sought {
    Subject,
    Resource,
    Action,
}

impl Sought {
    /// Returns the field of a request that names it.
    fn name(self, request: &mut Evaluation) -> &mut String {
        match self {
            Self::Subject => &mut request.subject,
            Self::Resource => &mut request.resource,
            Self::Action => &mut request.action,
        }
    }
}

/// The recording of decisions as activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recording {
    On,
    Off,
}

impl Iam {
    /// Evaluates requests about other principals one by one, as far as the semantic says. The
    /// caller needs the right to evaluate, and gets results about their own account alone, unless
    /// they are a registrar.
    pub async fn evaluate(
        &self,
        context: &Context,
        requests: Input<Vec<Input<Evaluation>>>,
        semantic: EvaluationsSemantic,
    ) -> Result<Vec<Input<EvaluationResult>>, IamError> {
        self.demand(context, rights::EVALUATE).await?;
        let properties = self.asserted_properties(context).await?;
        let mut answers = Vec::new();
        for request in requests? {
            let answer = match request {
                Ok(request) => {
                    Ok(self.decide_for(context, &request, properties, Recording::On).await?)
                }
                Err(error) => Err(error),
            };
            let allowed = answer.as_ref().is_ok_and(|answer| answer.allowed);
            answers.push(answer);
            if semantic.ends_with(allowed) {
                break;
            }
        }
        Ok(answers)
    }

    /// Returns what the properties count for that the caller asserts.
    async fn asserted_properties(&self, context: &Context) -> Result<AssertedProperties, IamError> {
        let may_assert = self.has_right(context, rights::SAY_PROPERTIES).await?;
        Ok(if may_assert { AssertedProperties::Trusted } else { AssertedProperties::Ignored })
    }

    /// Returns whether the caller may ask about the identities and resources of an account.
    fn may_ask_about(&self, context: &Context, account: &AccountName) -> bool {
        account == context.account()
            || self.settings.registrars.iter().any(|one| one == context.account())
    }

    async fn decide_for(
        &self,
        context: &Context,
        request: &Evaluation,
        properties: AssertedProperties,
        recording: Recording,
    ) -> Result<EvaluationResult, IamError> {
        let Some(principal) = self.subject(context, request).await? else {
            return Ok(EvaluationResult::UNKNOWN);
        };
        let (resource_type, name) = (&request.resource_type, &request.resource);
        let Ok(urn) = ResourceUrn::of(self.settings.region, resource_type, name) else {
            return Ok(EvaluationResult::UNKNOWN);
        };
        let asked = Context {
            principal,
            ip: request.ip,
            query_id: context.query_id,
            now: request.at.unwrap_or(context.now),
            conditions: None,
        };
        let decision_context = match &request.owner {
            None => self.decision_context(&asked, &urn).await,
            Some(owner) => {
                let home = self.views.get(asked.account()).await?;
                self.decision_context_behind(Some(owner), home, &urn).await
            }
        };
        let decision_context = match decision_context {
            Err(IamError::Refused(_)) => return Ok(EvaluationResult::UNKNOWN),
            decision_context => decision_context?,
        };
        let owner = decision_context.owner.policies().owner();
        let action = self.catalogue().resolve_action(resource_type, &request.action);
        let Some(action) = action.filter(|_| self.may_ask_about(context, owner)) else {
            return Ok(EvaluationResult::UNKNOWN);
        };
        let mut resource = decision_context.owner.decided_resource(&urn);
        let mut tags;
        if properties == AssertedProperties::Trusted && !request.properties.is_empty() {
            tags = request.properties.clone();
            tags.extend(resource.tags.clone());
            resource.tags = &tags;
        }
        let decision = decision_context.decide_on(&asked, &action, resource);
        if recording == Recording::On {
            let (action, resource) = (action.as_str(), urn.urn());
            let asked = Context { now: context.now, ..asked.clone() };
            self.recorder
                .record_decisions(&asked, [RecordedDecision { action, resource, decision }]);
        }
        let (reason, policy) = Reason::of(&decision);
        Ok(EvaluationResult { allowed: decision.is_allowed(), reason: Some(reason), policy })
    }

    /// Finds the subject of a request; none where it does not exist or the caller may not ask about
    /// it.
    async fn subject(
        &self,
        context: &Context,
        request: &Evaluation,
    ) -> Result<Option<Arc<Principal>>, IamError> {
        let region = self.settings.region;
        let (text, account) = (request.subject.as_str(), context.account());
        let Some(kind) = request.subject_kind else { return Ok(None) };
        if kind == SubjectKind::Token {
            let subject = self.authenticate_token(text, context.now).await;
            return match subject.map(|subject| subject.principal) {
                Err(IamError::BadCredential) => Ok(None),
                Ok(one) if !self.may_ask_about(context, one.account()) => Ok(None),
                one => one.map(Some),
            };
        }
        let identity = if text.starts_with("urn:") {
            Identity::parse(text, region).ok()
        } else {
            let is_name = !text.is_empty() && !text.contains(['/', ':', '*']);
            is_name.then(|| match kind {
                SubjectKind::ServiceAccount => {
                    Identity::service_account(region, account, &ClientId::new(text))
                }
                SubjectKind::User => Identity::user(region, account, &Login::new(text)),
                SubjectKind::Group | SubjectKind::Token => {
                    Identity::group(region, account, &GroupName::new(text))
                }
            })
        };
        let Some(identity) = identity else { return Ok(None) };
        if !self.may_ask_about(context, identity.account()) {
            return Ok(None);
        }
        let view = match self.views.get(identity.account()).await {
            Err(IamError::NotFound) => return Ok(None),
            view => view?,
        };
        let name = identity.name().unwrap_or_default().to_owned();
        let alone = |identity: Identity| {
            let identities = std::slice::from_ref(&identity);
            let caller = Caller::new(region, identity.account(), identities, Scope::All);
            let (kind, token) = (PrincipalKind::ServiceAccount, Token::None);
            Principal { kind, identity, caller, token }
        };
        let principal = match (kind, identity.kind()) {
            (SubjectKind::ServiceAccount, IdentityKind::Credential) => {
                let client = name.strip_prefix("oauth2-").and_then(|id| view.clients.get(id));
                client.filter(|client| client.enabled).map(|_| alone(identity))
            }
            (SubjectKind::User, IdentityKind::User) => {
                let user = view
                    .users
                    .get(&user_key(identity.account(), &Login::new(name)))
                    .filter(|one| one.enabled);
                user.map(|user| user.principal(region, identity.account()))
            }
            (SubjectKind::Group, IdentityKind::Group) => {
                let name = GroupName::new(name);
                let is_there = is_built_in(&name)
                    || view.groups.contains(&group_key(identity.account(), &name));
                is_there.then(|| alone(identity))
            }
            _ => None,
        };
        Ok(principal.map(Arc::new))
    }

    /// Searches the caller's service accounts, users or groups for those that are allowed. The
    /// subject of the request is ignored, but for its type.
    pub async fn search_subjects(
        &self,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, Sought::Subject).await
    }

    /// Searches the caller's registered resources of a type for those on which the action is
    /// allowed. The resource of the request is ignored, but for its type.
    pub async fn search_resources(
        &self,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, Sought::Resource).await
    }

    /// Searches the actions that are allowed. The action of the request is ignored.
    pub async fn search_actions(
        &self,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, Sought::Action).await
    }

    /// Returns the names for which the evaluation is allowed.
    async fn search(
        &self,
        context: &Context,
        request: Input<Evaluation>,
        sought: Sought,
    ) -> Result<Vec<String>, IamError> {
        self.demand(context, rights::EVALUATE).await?;
        let mut request = request?;
        let view = self.views.get(context.account()).await?;
        let mut names = match sought {
            Sought::Subject => subjects(&view, request.subject_kind)?,
            Sought::Resource => self.resource_names(&view, &request.resource_type),
            Sought::Action => self.catalogue().action_names(&request.resource_type).to_vec(),
        };
        names.sort_unstable();
        names.truncate(MOST);
        let properties = self.asserted_properties(context).await?;
        let mut found = Vec::new();
        for name in names {
            sought.name(&mut request).clone_from(&name);
            if self.decide_for(context, &request, properties, Recording::Off).await?.allowed {
                found.push(name);
            }
        }
        Ok(found)
    }

    /// Lists the names of the registered resources of a type.
    fn resource_names(&self, view: &View, resource_type: &str) -> Vec<String> {
        let head = format!("{}{resource_type}:", ResourceUrn::prefix(self.settings.region));
        let names = view.resources.iter().filter_map(|(urn, _)| urn.strip_prefix(&head));
        names.map(str::to_owned).collect()
    }
}

/// Lists the names of the subjects of a type.
fn subjects(view: &View, kind: Option<SubjectKind>) -> Result<Vec<String>, IamError> {
    match kind {
        None | Some(SubjectKind::Token) => Ok(Vec::new()),
        Some(SubjectKind::ServiceAccount) => Ok(view.clients.ids().map(str::to_owned).collect()),
        Some(SubjectKind::User) => {
            view.users.ids().map(|key| Ok(login_of_key(key)?.to_string())).collect()
        }
        Some(SubjectKind::Group) => {
            let built_in = BUILT_IN.iter().map(|(name, _)| Ok(name.to_string()));
            let own = view.groups.ids().map(|key| Ok(group_of_key(key)?.to_string()));
            built_in.chain(own).collect()
        }
    }
}
