//! Authorizes requests that a proxy forwards to a guarded API, by the rights that their operation
//! needs.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{AccountName, Instant, ResourceUrn, action_type};
use smallvec::SmallVec;

use crate::catalogue::api::Api;
use crate::catalogue::route::{Found, NoRoute, Source};
use crate::catalogue::target::Target;
use crate::core::authenticate::AuthenticatedToken;
use crate::core::authorize::DecisionContext;
use crate::core::budget::Budget;
use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::decisions::assertion::AllowedRequest;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::limits::URN_BYTES;
use crate::model::query_id::QueryId;
use crate::model::revision::AccountRevision;
use crate::model::secret::Secret;

/// A request on its way to a guarded API, as the proxy received it.
pub struct ForwardedRequest<'p> {
    /// The name of the guarded API.
    pub api: &'p str,
    /// The HTTP method, as the client sent it.
    pub method: &'p str,
    /// The path and the query, as the client sent them.
    pub target: &'p str,
    /// Returns the value of a header by its name in small letters; none where it is absent or
    /// repeated.
    pub header: &'p (dyn Fn(&str) -> Option<&'p str> + Sync),
    /// `true` if the client requests an upgrade of the connection.
    pub upgrades: bool,
    /// The bearer token, or the error of its header.
    pub token: Result<&'p str, IamError>,
    /// The IP address of the client.
    pub ip: Option<IpAddr>,
    /// The query ID for the log.
    pub query_id: QueryId,
    /// The time of the request.
    pub now: Instant,
}

/// The authenticated and authorized caller of a forwarded request.
#[derive(Debug)]
pub struct AuthorizedCaller {
    /// The principal.
    pub principal: Arc<Principal>,
    /// The minimum revision of the caller's account that the decision was made at.
    pub revision: AccountRevision,
    /// The identity assertion for the API, if its document demands one.
    pub assertion: Option<Secret>,
}

/// The number of actions that are kept without an allocation; few operations require more.
const INLINE_ACTIONS: usize = 2;

/// The maximum number of actions that a request may require: the client waits for all of them.
pub(crate) const REQUIRED_ACTIONS: usize = 64;

/// The required actions, each with its resource.
type RequiredActions<'a> = SmallVec<[(&'a str, ResourceUrn); INLINE_ACTIONS]>;

/// The reason why a forwarded request is denied.
#[derive(Debug)]
pub struct Refusal {
    /// The error for the client.
    pub error: IamError,
    /// The minimum revision of the caller's account that the decision was made at; none where the
    /// caller is not authenticated.
    pub revision: Option<AccountRevision>,
}

impl From<IamError> for Refusal {
    fn from(error: IamError) -> Self {
        Self { error, revision: None }
    }
}

impl Iam {
    /// Authorizes a forwarded request; returns no caller where the operation is public.
    ///
    /// A request that is ambiguous or not declared is denied. A resource that nobody registered
    /// belongs to the account of the API; without one, every action on it is denied.
    pub async fn authorize_forwarded(
        self: &Arc<Self>,
        forwarded: &ForwardedRequest<'_>,
    ) -> Result<Option<AuthorizedCaller>, Refusal> {
        self.live_catalogue.demand_recent().await?;
        let catalogue = self.live_catalogue.borrow();
        let api = catalogue.api(forwarded.api);
        let api = api.ok_or_else(|| {
            IamError::Refused(format!("no API {:?} is declared here", forwarded.api))
        })?;
        let target = Target::parse(forwarded.target);
        let target = target.map_err(|unclear| IamError::Refused(unclear.to_string()))?;
        let routes = api.find(forwarded.method, &target);
        if let Ok(routes) = &routes
            && routes.iter().all(|route| route.requires.is_none())
            && (!forwarded.upgrades || routes.iter().all(|route| route.upgrades))
        {
            return Ok(None);
        }
        let token = forwarded.token.as_ref().map_err(IamError::again)?;
        let AuthenticatedToken { principal, home } =
            self.authenticate_token(token, forwarded.now).await?;
        record_account(principal.account());
        let (ip, query_id, now) = (forwarded.ip, forwarded.query_id, forwarded.now);
        let context = Context { principal, ip, query_id, now, conditions: None };
        let revision = || AccountRevision::of(context.account(), &home);
        let refusal = |error| Refusal { error, revision: Some(revision()) };
        self.rate_limits.admit_decision(&context.principal).map_err(refusal)?;
        let matched = (api, &target, &routes);
        let required = self.required_actions(forwarded, matched, context.account());
        let required = required.map_err(refusal)?;
        let mut decision_contexts: SmallVec<[DecisionContext; INLINE_ACTIONS]> = SmallVec::new();
        for (_, urn) in &required {
            let home = Arc::clone(&home);
            let decision_context =
                self.decision_context_behind(api.account.as_ref(), home, urn).await;
            decision_contexts.push(decision_context.map_err(refusal)?);
        }
        let costs = decision_contexts.iter().map(|one| one.cost(&context));
        let cost = costs.fold(0, u64::saturating_add);
        let demanded = if self.small_budget(0).spend(cost).is_ok() {
            let all = decision_contexts.iter().zip(&required);
            self.demand_all(&context, all.map(|(on, (action, urn))| (on, *action, urn)))
        } else {
            drop(decision_contexts);
            let required = required.into_iter().map(|(action, urn)| (action.to_owned(), urn));
            let owner = api.account.clone();
            // Boxed, since the future is large and rarely needed.
            let demanded =
                Box::pin(self.demand_costly(&context, (required.collect(), owner), cost)).await;
            // The document of the API may have changed while the request has waited.
            if Arc::ptr_eq(&catalogue, &self.live_catalogue.current()) {
                demanded
            } else {
                Err(self.costly_forwarded.busy())
            }
        };
        demanded.map_err(refusal)?;
        // Without a signature the request is not allowed.
        let assertion = self.demanded_assertion(forwarded, (api, &routes), &context);
        let assertion = assertion.map_err(refusal)?;
        let revision = revision();
        Ok(Some(AuthorizedCaller { principal: context.principal, revision, assertion }))
    }

    /// Requires actions behind the guarded API of an account whose decisions cost much, as a large request,
    /// by what the caller is and may once it has its permit.
    async fn demand_costly(
        self: &Arc<Self>,
        context: &Context,
        (required, owner): (Vec<(String, ResourceUrn)>, Option<AccountName>),
        cost: u64,
    ) -> Result<(), IamError> {
        let iam = Arc::clone(self);
        let work = async move |caller: Context, mut budget: Budget| {
            budget.spend(cost)?;
            let home = iam.views.get(caller.account()).await?;
            let mut asked = Vec::with_capacity(required.len());
            for (action, urn) in &required {
                let home = Arc::clone(&home);
                let on = iam.decision_context_behind(owner.as_ref(), home, urn).await?;
                asked.push((on, action, urn));
            }
            iam.demand_all(&caller, asked.iter().map(|(on, action, urn)| (on, &***action, *urn)))
        };
        self.run_large_request(&self.costly_forwarded, context, work).await
    }

    /// Signs the identity assertion of an allowed request, if its API demands one.
    fn demanded_assertion(
        &self,
        forwarded: &ForwardedRequest<'_>,
        (api, routes): (&Api, &Result<Found<'_>, NoRoute>),
        context: &Context,
    ) -> Result<Option<Secret>, IamError> {
        if !api.asserts_identity {
            return Ok(None);
        }
        let requirements =
            routes.iter().flatten().flat_map(|route| route.requires.iter().flatten());
        let headers = requirements.filter_map(|requirement| match &requirement.source {
            Source::Header(name) => Some((name.as_str(), (forwarded.header)(name)?)),
            _ => None,
        });
        let ForwardedRequest { api, method, target, .. } = *forwarded;
        let allowed = AllowedRequest { api, method, target, headers: headers.collect() };
        self.sign_assertion(context, &allowed).map(Some)
    }

    /// Returns the actions that a request of a caller of some account requires, each with its
    /// resource.
    fn required_actions<'a>(
        &self,
        forwarded: &ForwardedRequest<'_>,
        (api, target, routes): (&'a Api, &Target<'_>, &Result<Found<'a>, NoRoute>),
        account: &AccountName,
    ) -> Result<RequiredActions<'a>, IamError> {
        let routes = routes.as_ref().map_err(|reason| {
            let said = match reason {
                NoRoute::Unknown => "is not declared",
                NoRoute::Near => "is too much like another path that is declared",
                NoRoute::TooMany => "is like too many paths that are declared",
            };
            let (method, path) = (forwarded.method, forwarded.target.split('?').next());
            let path = path.unwrap_or_default();
            IamError::Refused(format!("{method} {path} {said} in the API {}", forwarded.api))
        })?;
        if forwarded.upgrades && !routes.iter().all(|route| route.upgrades) {
            let message = "the operation does not take another protocol (x-iam-upgrade)";
            return Err(IamError::Refused(message.to_owned()));
        }
        let requirements = routes.iter().flat_map(|route| route.requires.iter().flatten());
        let actions = requirements.map(|requirement| {
            let name = match &requirement.source {
                Source::Part(place) => {
                    target.parts().get(api.base_length() + place).map(|part| &**part)
                }
                Source::Header(header) => (forwarded.header)(header),
                Source::Fixed(name) => Some(name.as_str()),
                Source::Account => Some(api.account.as_ref().unwrap_or(account).as_str()),
            };
            let (region, resource_type) = (self.settings.region, action_type(&requirement.action));
            let urn = name.and_then(|name| ResourceUrn::of(region, resource_type, name).ok());
            let urn = urn.filter(|urn| urn.urn().len() <= URN_BYTES);
            let urn = urn.ok_or_else(|| {
                let message = "the request does not name the resource that it is about";
                IamError::Refused(message.to_owned())
            })?;
            Ok((requirement.action.as_str(), urn))
        });
        let actions = actions.collect::<Result<RequiredActions<'a>, IamError>>()?;
        if actions.len() > REQUIRED_ACTIONS {
            let message = format!("the request requires more than {REQUIRED_ACTIONS} actions");
            return Err(IamError::Refused(message));
        }
        Ok(actions)
    }

    /// Returns the decision context of a resource behind a guarded API of an account. A
    /// registration is trusted only where not every account may register resources.
    pub(crate) async fn decision_context_behind(
        &self,
        account: Option<&AccountName>,
        home: Arc<View>,
        urn: &ResourceUrn,
    ) -> Result<DecisionContext, IamError> {
        // The resource that stands for an account belongs to that account.
        let is_account = urn.resource_type() == "account";
        if !is_account && !self.settings.registrars.is_empty() {
            // Seldom needed, and large.
            let decision_context =
                Box::pin(self.decision_context_from(Arc::clone(&home), urn)).await?;
            if decision_context.is_registered {
                return Ok(decision_context);
            }
        }
        let owner = if is_account { Some(urn.name()) } else { account.map(AccountName::as_str) };
        let owner = owner.ok_or_else(|| {
            let message = format!(
                "nobody knows whose {urn} is: the API must name the account that it belongs to \
                 (x-iam-account), or a registrar must register it"
            );
            IamError::Refused(message)
        })?;
        self.decision_context_of(home, owner).await.map_err(|error| match error {
            IamError::NotFound => {
                IamError::Refused(format!("there is no account {owner} (x-iam-account)"))
            }
            error => error,
        })
    }
}
