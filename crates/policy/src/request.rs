//! Requests: who wants to do what, on which resource, and in which environment.

use std::collections::BTreeMap;
use std::net::IpAddr;

use smallvec::SmallVec;

use crate::action::Scope;
use crate::hashed_identity::HashedIdentity;
use crate::identity::Identity;
use crate::instant::Instant;
use crate::urn::Region;

/// The tags of a resource.
pub type Tags = BTreeMap<String, String>;

static NO_TAGS: Tags = Tags::new();

/// A resource as conditions see it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its canonical URN.
    pub urn: &'a str,
    /// Its type.
    pub resource_type: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
}

impl<'a> Resource<'a> {
    /// A resource without tags.
    pub fn bare(urn: &'a str, resource_type: &'a str, name: &'a str) -> Self {
        Self { urn, resource_type, name, tags: &NO_TAGS }
    }
}

/// Who asks, and what counts for them.
#[derive(Debug, Clone)]
pub struct Caller {
    account: Box<str>,
    account_identity: HashedIdentity,
    root: bool,
    identities: SmallVec<[HashedIdentity; 1]>,
    scope: Scope,
}

impl Caller {
    /// The root login of an account, which nothing restricts there.
    pub fn root(region: Region, account: &str, scope: Scope) -> Self {
        let account_identity = HashedIdentity::from(&Identity::account_of(region, account));
        Self {
            account: account.into(),
            root: true,
            identities: [account_identity.clone()].into(),
            account_identity,
            scope,
        }
    }

    /// A service account, or a user with all groups of it: `identities` are what policies may name.
    pub fn new(region: Region, account: &str, identities: &[Identity], scope: Scope) -> Self {
        Self {
            account: account.into(),
            account_identity: HashedIdentity::from(&Identity::account_of(region, account)),
            root: false,
            identities: identities.iter().map(HashedIdentity::from).collect(),
            scope,
        }
    }

    /// The name of the account that the caller belongs to.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether it is the root login of its account.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// The canonical URNs that count for the caller.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.identities.iter().map(|identity| &*identity.urn)
    }

    /// What policies may name to reach the caller.
    pub(crate) fn hashed_identities(&self) -> &[HashedIdentity] {
        &self.identities
    }

    /// The caller's account.
    pub(crate) fn account_identity(&self) -> &HashedIdentity {
        &self.account_identity
    }

    /// What the caller's token may be used for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// What a condition looks at, beside the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environment {
    /// The time of the request.
    pub now: Instant,
    /// Where the request comes from; unknown in a simulation.
    pub ip: Option<IpAddr>,
}

/// A request to decide.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What they want to do.
    pub action: &'a str,
    /// On what.
    pub resource: Resource<'a>,
    /// When, and from where.
    pub environment: Environment,
}
