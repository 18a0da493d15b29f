//! Whether a request may pass to a guarded API: from what a proxy saw of it to the rights that it
//! needs.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{Instant, ResourceUrn, action_type};
use smallvec::SmallVec;

use crate::catalogue::api::Api;
use crate::catalogue::route::{Found, NoRoute, Source};
use crate::catalogue::target::Target;
use crate::core::authenticate::AuthenticatedToken;
use crate::core::authorize::DecisionContext;
use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::revision::Revision;

/// A request on its way to a guarded API.
pub struct ForwardedRequest<'p> {
    /// The name of the API.
    pub api: &'p str,
    /// As the client sent it.
    pub method: &'p str,
    /// The path and the query, as the client sent them.
    pub target: &'p str,
    /// The value of a header, by its name in small letters; none where it has none, or several.
    pub header: &'p (dyn Fn(&str) -> Option<&'p str> + Sync),
    /// Whether the client wants the connection to become another.
    pub upgrades: bool,
    /// The token that it brings.
    pub token: Result<&'p str, IamError>,
    /// Where it comes from.
    pub ip: Option<IpAddr>,
    /// What the log calls it.
    pub query_id: QueryId,
    /// When.
    pub now: Instant,
}

/// Who may pass.
#[derive(Debug)]
pub struct AuthorizedCaller {
    /// Who they are.
    pub principal: Arc<Principal>,
    /// The revision of their account that was decided at, at least.
    pub revision: Revision,
}

/// Few requests need more rights than these.
const MOST_NEED: usize = 2;

/// Actions, and on what.
type Needed<'a> = SmallVec<[(&'a str, ResourceUrn); MOST_NEED]>;

/// Why a request does not pass.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub error: IamError,
    /// The revision of the caller's account that was decided at, at least; none where it is not known
    /// who calls.
    pub revision: Option<Revision>,
}

impl From<IamError> for Refusal {
    fn from(error: IamError) -> Self {
        Self { error, revision: None }
    }
}

impl Iam {
    /// Lets a request pass, or says why not; with nobody where everybody may.
    ///
    /// What is unclear, or not declared, does not pass. A resource that nobody registered belongs to
    /// the account of the API; without one, nothing is allowed on it.
    pub async fn authorize_forwarded(
        &self,
        forwarded: &ForwardedRequest<'_>,
    ) -> Result<Option<AuthorizedCaller>, Refusal> {
        let catalogue = self.live_catalogue.borrow();
        let api = catalogue.api(forwarded.api);
        let api = api.ok_or_else(|| {
            IamError::Refused(format!("no API {:?} is declared here", forwarded.api))
        })?;
        let target = Target::parse(forwarded.target);
        let target = target.map_err(|unclear| IamError::Refused(unclear.to_string()))?;
        let routes = api.find(forwarded.method, &target);
        if let Ok(routes) = &routes
            && routes.iter().all(|route| route.needs.is_none())
            && (!forwarded.upgrades || routes.iter().all(|route| route.upgrades))
        {
            return Ok(None);
        }
        let token = forwarded.token.as_ref().map_err(IamError::again)?;
        let AuthenticatedToken { principal, home } =
            self.authenticate_token(token, forwarded.now).await?;
        let refusal = |error| Refusal { error, revision: Some(Revision::of(&home)) };
        let (ip, query_id, now) = (forwarded.ip, forwarded.query_id, forwarded.now);
        let context = Context { principal, ip, query_id, now };
        let needed = self.needed(forwarded, (api, &target, routes), context.account());
        let needed = needed.map_err(refusal)?;
        let mut decision_contexts: SmallVec<[DecisionContext; MOST_NEED]> = SmallVec::new();
        for (_, urn) in &needed {
            let home = Arc::clone(&home);
            let decision_context =
                self.decision_context_behind(api.account.as_deref(), home, urn).await;
            decision_contexts.push(decision_context.map_err(refusal)?);
        }
        let asked = decision_contexts
            .iter()
            .zip(&needed)
            .map(|(decision_context, (action, urn))| (decision_context, *action, urn));
        self.demand_all(&context, asked).map_err(refusal)?;
        Ok(Some(AuthorizedCaller { principal: context.principal, revision: Revision::of(&home) }))
    }

    /// The rights that a request of somebody in some account needs, and on what.
    fn needed<'a>(
        &self,
        forwarded: &ForwardedRequest<'_>,
        (api, target, routes): (&'a Api, &Target<'_>, Result<Found<'a>, NoRoute>),
        account: &str,
    ) -> Result<Needed<'a>, IamError> {
        let routes = routes.map_err(|reason| {
            let said = match reason {
                NoRoute::Unknown => "is not declared",
                NoRoute::Near => "is too much like another path that is declared",
            };
            let (method, path) = (forwarded.method, forwarded.target.split('?').next());
            let path = path.unwrap_or_default();
            IamError::Refused(format!("{method} {path} {said} in the API {}", forwarded.api))
        })?;
        if forwarded.upgrades && !routes.iter().all(|route| route.upgrades) {
            let message = "the operation does not take another protocol (x-iam-upgrade)";
            return Err(IamError::Refused(message.to_owned()));
        }
        let needs = routes.iter().flat_map(|route| route.needs.iter().flatten());
        let needed = needs.map(|need| {
            let name = match &need.source {
                Source::Part(place) => {
                    target.parts().get(api.base_length() + place).map(|part| &**part)
                }
                Source::Header(header) => (forwarded.header)(header),
                Source::Fixed(name) => Some(name.as_str()),
                Source::Account => Some(api.account.as_deref().unwrap_or(account)),
            };
            let (region, kind) = (self.settings.region, action_type(&need.action));
            let urn = name.and_then(|name| ResourceUrn::of(region, kind, name).ok());
            let urn = urn.ok_or_else(|| {
                let message = "the request does not name the resource that it is about";
                IamError::Refused(message.to_owned())
            })?;
            Ok((need.action.as_str(), urn))
        });
        needed.collect()
    }

    /// Whose policies decide about a resource behind an API of an account. That it is registered says
    /// something only where not everybody can register it.
    pub(crate) async fn decision_context_behind(
        &self,
        account: Option<&str>,
        home: Arc<View>,
        urn: &ResourceUrn,
    ) -> Result<DecisionContext, IamError> {
        // The resource that stands for an account is that account's.
        let is_account = urn.resource_type() == "account";
        if !is_account && !self.settings.registrars.is_empty() {
            // Seldom needed, and large.
            let decision_context =
                Box::pin(self.decision_context_from(Arc::clone(&home), urn)).await?;
            if decision_context.known {
                return Ok(decision_context);
            }
        }
        let owner = if is_account { Some(urn.name()) } else { account };
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
