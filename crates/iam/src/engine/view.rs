//! Holds in memory the objects of an account that decisions and tokens need, at one revision.
//!
//! Invariants:
//! - A view equals the objects of its account at its revision: entries are applied in order, and
//!   none is left out.
//! - Applying an entry again changes nothing: a load applies entries whose effect its rows may
//!   have.
//! - A kind of object that decisions or tokens need is read from rows and from entries alike.
//! - Nothing in a view depends on the time, and a published view never changes.

use std::sync::Arc;

use gatewright_policy::{
    AccountName, GroupName, Identity, Instant, PolicySet, Region, ResourceUrn, Revision,
    permissions_group_urn,
};
use gatewright_store::{Generation, Position};
use imbl::OrdSet;

use crate::catalogue::index::Catalogue;
use crate::engine::objects::Objects;
use crate::model::account::SecondFactor;
use crate::model::client::Flow;
use crate::model::error::IamError;
use crate::model::group::{BUILT_IN, Role, role_policy, role_policy_id};
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::resource::ResourceDocument;
use crate::model::session::SessionDocument;
use crate::model::user::UserDocument;
use crate::model::user_token::UserTokenDocument;

/// The fields of a service account that its authentication needs, and whether it is used.
#[derive(Debug, Clone)]
pub(crate) struct ClientEntry {
    pub(crate) flow: Flow,
    pub(crate) enabled: bool,
    pub(crate) created_at: Instant,
    /// The time at which it was last enabled again, if it was.
    pub(crate) enabled_at: Option<Instant>,
    pub(crate) secret: Arc<[u8]>,
}

impl ClientEntry {
    /// Returns whether a token that was issued at an instant, in whole seconds, counts: it must be
    /// younger than the last time that the client was enabled again.
    pub(crate) fn admits_token_of(&self, issued: Instant) -> bool {
        let is_since = self.enabled_at.is_none_or(|at| issued.seconds() > at.seconds());
        self.enabled && self.flow == Flow::ClientCredentials && is_since
    }
}

/// Returns the URN of the resource that represents an account.
pub(crate) fn account_urn(region: Region, account: &AccountName) -> ResourceUrn {
    ResourceUrn::new(region, "account", account.as_str())
}

/// A view: an account at one revision. A clone shares everything; a change copies the path to what
/// it touches (copy-on-write), so it costs the same however much the account holds.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(super) region: Region,
    /// The resource that represents the account.
    account_urn: Arc<ResourceUrn>,
    /// The last entry of the journal that was applied.
    pub(super) position: Position,
    /// The generation of the database that it was read in.
    generation: Generation,
    pub(super) policies: PolicySet,
    /// Service accounts and other clients that are not deleted.
    pub(crate) clients: Objects<ClientEntry>,
    /// Resources, by canonical URN.
    pub(crate) resources: Objects<Arc<ResourceDocument>>,
    /// The same in the order of their creation, by which lists are read.
    pub(super) resources_in_order: OrdSet<(Instant, Box<str>)>,
    /// Expiry times of revoked tokens, by the token's identifier.
    pub(super) revoked: Objects<Instant>,
    pub(super) revoked_in_order: OrdSet<(Instant, Box<str>)>,
    /// Sessions that are not ended, by the hash of their secret; some may have expired.
    pub(crate) sessions: Objects<Arc<SessionDocument>>,
    /// The demand for a second factor of the people of the account.
    pub(crate) second_factor: SecondFactor,
    /// The people who have a second factor: the URN of the person, by the identifier of each
    /// authenticator and passkey.
    pub(super) second_factors: Objects<Box<str>>,
    /// Local users, by account and login.
    pub(crate) users: Objects<Arc<UserDocument>>,
    /// Personal access tokens that are not deleted, by their hash; some may have expired.
    pub(crate) user_tokens: Objects<Arc<UserTokenDocument>>,
    /// Groups of users other than the built-in ones, by account and name.
    pub(crate) groups: Objects<()>,
    /// The number of policies that implement the role of a group.
    pub(super) roles: usize,
    pub(super) catalogue: Arc<Catalogue>,
}

impl View {
    /// Creates an empty view of an account, with only the built-in groups.
    pub(crate) fn new(
        account: AccountName,
        region: Region,
        catalogue: &Arc<Catalogue>,
    ) -> Result<Self, IamError> {
        let position = Position::origin(&account);
        let account_urn = Arc::new(account_urn(region, &account));
        let mut policies = PolicySet::new(account);
        for group in catalogue.groups() {
            let urn = permissions_group_urn(region, &MANAGED_OWNER, &group.name);
            policies.set_permissions_group(&urn, Arc::clone(&group.compiled));
        }
        let mut view = Self {
            region,
            account_urn,
            position,
            generation: Generation::new(0),
            policies,
            clients: Objects::default(),
            resources: Objects::default(),
            resources_in_order: OrdSet::new(),
            revoked: Objects::default(),
            revoked_in_order: OrdSet::new(),
            sessions: Objects::default(),
            second_factor: SecondFactor::default(),
            second_factors: Objects::default(),
            users: Objects::default(),
            user_tokens: Objects::default(),
            groups: Objects::default(),
            roles: 0,
            catalogue: Arc::clone(catalogue),
        };
        for (name, role) in &*BUILT_IN {
            view.set_role(name, *role)?;
        }
        Ok(view)
    }

    /// Returns the name of the account.
    pub(crate) fn account(&self) -> &AccountName {
        self.policies.owner()
    }

    /// Returns the URN of the resource that represents the account.
    pub(crate) fn account_urn(&self) -> &ResourceUrn {
        &self.account_urn
    }

    /// Returns the revision of the account: the number of its last journal entry that was applied.
    pub(crate) fn revision(&self) -> Revision {
        self.position.revision
    }

    /// Returns the last entry of the journal that was applied.
    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// Begins at an entry of the journal: the objects are those of then, or of later.
    pub(super) fn begin_at(&mut self, position: Position, generation: Generation) {
        self.position = position;
        self.generation = generation;
    }

    /// Returns the generation of the database that the view was read in.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Returns a number that no view of another revision or of another past has, but by a chance of
    /// 2⁻⁶⁴.
    pub(crate) fn fingerprint(&self) -> u64 {
        let first = self.position.hash.iter().take(8);
        first.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Returns the policies and permissions groups of the account.
    pub(crate) fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Sets the role of a group, in place of its previous role. Fails where its policy does not
    /// compile: a view without it would decide by other policies than the account has.
    pub(super) fn set_role(&mut self, name: &GroupName, role: Role) -> Result<(), IamError> {
        let group = Identity::group(self.region, self.policies.owner(), name);
        let id = role_policy_id(&group);
        if self.policies.get(id).is_some() {
            self.policies.remove(id);
            self.roles -= 1;
        }
        let rule =
            role_policy(self.region, &group, role, &|name| self.catalogue.group(name).is_some());
        if let Some(rule) = rule {
            self.policies.insert(rule.compile(self.region).map_err(IamError::internal)?);
            self.roles += 1;
        }
        Ok(())
    }
}
