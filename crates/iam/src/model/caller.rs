//! Who calls, and under which environment.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{Caller, Environment, Identity, Instant};
use gatewright_store::Author;

use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::token::Verified;

/// What somebody proved to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The root login of an account.
    Root,
    /// A service account.
    ServiceAccount,
    /// A local user.
    User,
}

/// The token by which somebody proved who they are.
#[derive(Debug)]
pub(crate) enum Token {
    /// A session, or the operator's word.
    None,
    /// A personal access token, by what it is called.
    Personal(Box<str>),
    /// An access token.
    Access(Verified),
}

/// Somebody who proved who they are. All that is known of an access token is in one place, where it
/// takes few looks at memory.
#[derive(Debug)]
pub struct Principal {
    /// What they are.
    pub kind: PrincipalKind,
    /// Who they are; the first of the identities that count for them.
    pub identity: Identity,
    /// What decisions are made from.
    pub caller: Caller,
    /// By what.
    pub(crate) token: Token,
}

impl Principal {
    /// The name of the account that they belong to.
    pub fn account(&self) -> &str {
        self.caller.account()
    }

    /// What the token is called that they showed, if they did; it is no secret.
    pub fn token_id(&self) -> Option<&str> {
        match &self.token {
            Token::None => None,
            Token::Personal(id) => Some(id),
            Token::Access(verified) => Some(&verified.id),
        }
    }

    /// The access token that they showed.
    pub(crate) fn access_token(&self) -> Result<&Verified, IamError> {
        match &self.token {
            Token::Access(verified) => Ok(verified),
            _ => Err(IamError::BadCredential),
        }
    }
}

/// A request as use cases see it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// What the log calls this request.
    pub query_id: QueryId,
    /// When.
    pub now: Instant,
}

impl Context {
    /// The account that the caller belongs to, and works on.
    pub fn account(&self) -> &str {
        self.principal.account()
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

/// Where a request comes from that nobody is known to send yet.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What they use.
    pub user_agent: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// What the log calls the request.
    pub query_id: QueryId,
    /// When.
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

/// Who proves something, before anybody is signed in.
pub(crate) fn sign_in_context(principal: Arc<Principal>, origin: &Origin) -> Context {
    Context { principal, ip: origin.ip, query_id: origin.query_id, now: origin.now }
}
