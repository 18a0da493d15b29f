//! The caller of a use case, and the context of its request.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, Environment, Identity, Instant, Region, Scope, SessionId, TokenId,
};
use gatewright_store::Author;

use crate::model::error::IamError;
use crate::model::idempotency_key::IdempotencyKey;
use crate::model::precondition::{EntityTag, Precondition};
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::skew::is_from_future;
use crate::model::token::Verified;

/// The type of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The root login of an account.
    Root,
    /// A service account.
    ServiceAccount,
    /// A local user.
    User,
}

/// The authentication of the holder of a session.
#[derive(Debug)]
pub(crate) struct SessionAuthentication {
    /// The identifier of the session.
    pub(crate) id: SessionId,
    /// The time of the last authentication.
    pub(crate) authenticated_at: Instant,
    /// The instant until which the last authentication is recent enough for sensitive actions.
    pub(crate) fresh_until: Instant,
    /// True if they have used a second factor.
    pub(crate) has_second_factor: bool,
}

impl SessionAuthentication {
    /// Returns whether the last authentication is recent enough for sensitive actions. One that was
    /// dated by a clock that was ahead is not known to be.
    fn is_fresh(&self, now: Instant) -> bool {
        now < self.fresh_until && !is_from_future(self.authenticated_at, now)
    }
}

/// The token by which a principal authenticated.
#[derive(Debug)]
pub(crate) enum Token {
    /// No token: the operator.
    None,
    /// The session of a person.
    Session(SessionAuthentication),
    /// A personal access token, by its identifier.
    Personal(TokenId),
    /// An access token.
    Access(Verified),
}

/// An authenticated principal. All that is known of an access token is in one place, so that
/// checking it reads little memory.
#[derive(Debug)]
pub struct Principal {
    /// The type of the principal.
    pub kind: PrincipalKind,
    /// The identity; the first of those that policies may name it by.
    pub identity: Identity,
    /// The attributes of the caller from which decisions are made.
    pub caller: Caller,
    /// The token by which it authenticated.
    pub(crate) token: Token,
}

impl Principal {
    /// Creates the principal of an identity alone, with all that its policies allow: a service
    /// account, or a group that is asked about.
    pub(crate) fn alone(identity: Identity, region: Region) -> Self {
        let caller = Caller::new(region, identity.account(), &identity, &[], Scope::All);
        Self { kind: PrincipalKind::ServiceAccount, identity, caller, token: Token::None }
    }

    /// Returns the name of the account that the principal belongs to.
    pub fn account(&self) -> &AccountName {
        self.caller.account()
    }

    /// Returns the identifier of the token that was presented, if one was; it is no secret.
    pub fn token_id(&self) -> Option<&TokenId> {
        match &self.token {
            Token::None | Token::Session(_) => None,
            Token::Personal(id) => Some(id),
            Token::Access(verified) => Some(&verified.id),
        }
    }

    /// Returns the access token that was presented; fails where there is none.
    pub(crate) fn access_token(&self) -> Result<&Verified, IamError> {
        match &self.token {
            Token::Access(verified) => Ok(verified),
            _ => Err(IamError::BadCredential),
        }
    }
}

/// The context of a request to a use case.
#[derive(Debug, Clone)]
pub struct Context {
    /// The principal that makes the request.
    pub principal: Arc<Principal>,
    /// The client's IP address, if it is known.
    pub ip: Option<IpAddr>,
    /// The query ID of the request.
    pub query_id: QueryId,
    /// The time of the request.
    pub now: Instant,
    /// The conditions under which the request makes its change; none is the most frequent case.
    pub conditions: Option<Arc<RequestConditions>>,
}

/// The conditions under which a request makes its change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestConditions {
    /// The state that the change was made from.
    pub precondition: Precondition,
    /// The key under which an object is created once.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Context {
    /// Returns the idempotency key of the request.
    pub(crate) fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.conditions.as_ref()?.idempotency_key.as_ref()
    }

    /// Checks the precondition of the request against the tag of the object that it changes, if there
    /// is such an object.
    pub(crate) fn check_precondition(
        &self,
        current: impl FnOnce() -> Result<Option<EntityTag>, IamError>,
    ) -> Result<(), IamError> {
        let conditions = self.conditions.as_ref();
        conditions.map_or(Ok(()), |conditions| conditions.precondition.check(current))
    }

    /// Returns the account that the caller belongs to, and works on.
    pub fn account(&self) -> &AccountName {
        self.principal.account()
    }

    /// Returns how the person has authenticated, if the request is made in a session.
    pub(crate) fn session_authentication(&self) -> Option<&SessionAuthentication> {
        match &self.principal.token {
            Token::Session(authentication) => Some(authentication),
            _ => None,
        }
    }

    /// Requires a recent authentication in a session, for a sensitive action (step-up): a session that
    /// was left open, or stolen, must not be enough. Tokens have no session, and are not asked.
    pub(crate) fn demand_reauthentication(&self) -> Result<(), IamError> {
        match self.session_authentication() {
            Some(last) if !last.is_fresh(self.now) => Err(IamError::ReauthenticationRequired),
            _ => Ok(()),
        }
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment { now: self.now, ip: self.ip }
    }

    pub(crate) fn author(&self) -> Author {
        Author {
            actor: self.principal.identity.urn().to_owned(),
            ip: self.ip.map(|ip| ip.to_string()),
            query_id: self.query_id.to_string(),
            at: self.now,
        }
    }
}

/// The origin of a request that is not authenticated yet.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The `User-Agent` of the client.
    pub user_agent: String,
    /// The client's IP address, if it is known.
    pub ip: Option<IpAddr>,
    /// The cookie of a known device, if the browser sent one.
    pub device: Option<Secret>,
    /// The query ID of the request.
    pub query_id: QueryId,
    /// The time of the request.
    pub now: Instant,
}

impl Origin {
    pub(crate) fn author(&self, identity: &str) -> Author {
        Author {
            actor: identity.to_owned(),
            ip: self.ip.map(|ip| ip.to_string()),
            query_id: self.query_id.to_string(),
            at: self.now,
        }
    }
}

/// Creates the context of a proof of identity that comes before the sign-in is complete.
pub(crate) fn sign_in_context(principal: Arc<Principal>, origin: &Origin) -> Context {
    let (ip, query_id, now) = (origin.ip, origin.query_id, origin.now);
    Context { principal, ip, query_id, now, conditions: None }
}
