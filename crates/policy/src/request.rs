//! Requests: a caller, an action, a resource and an environment.

use std::collections::BTreeMap;
use std::net::IpAddr;

use smallvec::SmallVec;

use crate::action::Scope;
use crate::hashed_identity::{HashedIdentity, IdentityHash};
use crate::id::AccountName;
use crate::identity::Identity;
use crate::instant::Instant;
use crate::urn::Region;

/// The tags of a resource.
pub type Tags = BTreeMap<String, String>;

static NO_TAGS: Tags = Tags::new();

/// A resource, with the attributes that conditions can use.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The canonical URN.
    pub urn: &'a str,
    /// The resource type.
    pub resource_type: &'a str,
    /// The name.
    pub name: &'a str,
    /// The tags.
    pub tags: &'a Tags,
}

impl<'a> Resource<'a> {
    /// Creates a resource without tags.
    pub fn bare(urn: &'a str, resource_type: &'a str, name: &'a str) -> Self {
        Self { urn, resource_type, name, tags: &NO_TAGS }
    }
}

/// The caller of a request, with the identities that count for it.
#[derive(Debug, Clone)]
pub struct Caller {
    account: AccountName,
    account_identity: HashedIdentity,
    /// Its own identity, the first of all.
    own_identity: IdentityHash,
    root: bool,
    identities: SmallVec<[HashedIdentity; 1]>,
    scope: Scope,
}

impl Caller {
    /// Creates the root login of an account, which may do everything there.
    pub fn root(region: Region, account: &AccountName, scope: Scope) -> Self {
        let account_identity = HashedIdentity::from(&Identity::account_of(region, account));
        Self {
            account: account.clone(),
            root: true,
            identities: [account_identity.clone()].into(),
            own_identity: account_identity.key,
            account_identity,
            scope,
        }
    }

    /// Creates a service account, or a user with its groups: policies may name all of them.
    pub fn new(
        region: Region,
        account: &AccountName,
        identity: &Identity,
        groups: &[Identity],
        scope: Scope,
    ) -> Self {
        let identity = HashedIdentity::from(identity);
        let own_identity = identity.key;
        let groups = groups.iter().map(HashedIdentity::from);
        let identities = std::iter::once(identity).chain(groups).collect();
        Self {
            account: account.clone(),
            own_identity,
            account_identity: HashedIdentity::from(&Identity::account_of(region, account)),
            root: false,
            identities,
            scope,
        }
    }

    /// Returns the name of the account that the caller belongs to.
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// Returns whether the caller is the root login of its account.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// Returns the canonical URNs that count for the caller.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.identities.iter().map(|identity| &*identity.urn)
    }

    /// Returns the identities by which policies are looked up.
    pub(crate) fn hashed_identities(&self) -> &[HashedIdentity] {
        &self.identities
    }

    /// Returns the identity of the caller's account.
    pub(crate) fn account_identity(&self) -> &HashedIdentity {
        &self.account_identity
    }

    /// Returns a hash of the identity of the caller, for tables in memory: it is the same for the same
    /// identity, and drawn anew by each process.
    pub fn identity_hash(&self) -> u64 {
        self.own_identity.half()
    }

    /// Returns the scope of the caller's token.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// The environment of a request that conditions are evaluated against, beside the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environment {
    /// The time of the request.
    pub now: Instant,
    /// The address that the request comes from; none in a simulation.
    pub ip: Option<IpAddr>,
}

/// A request to decide.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The action.
    pub action: &'a str,
    /// The resource.
    pub resource: Resource<'a>,
    /// The time and the address.
    pub environment: Environment,
}
