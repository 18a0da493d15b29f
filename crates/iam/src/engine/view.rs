//! Holds in memory what decisions and tokens need of an account, at one revision.
//!
//! What must stay true:
//! - A view equals the objects of its account at its revision: entries are applied in order, and
//!   none is left out.
//! - Applying an entry again changes nothing: a load applies entries whose effect its rows may
//!   have.
//! - A kind of object that decisions or tokens need is read from rows and from entries alike.
//! - Nothing in a view depends on the time, and a published view never changes.

use std::str::FromStr;
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{
    CompiledPermissions, CompiledPolicy, Identity, Instant, Members, PolicySet, Region,
    Resource as Seen, ResourceGroupId, ResourceUrn, permissions_group_urn,
};
use gatewright_store::{Entry, Kind, Object};
use imbl::shared_ptr::DefaultSharedPtr;
use imbl::{GenericHashMap, OrdSet};
use serde::Deserialize;

use crate::catalogue::index::Catalogue;
use crate::model::client::{ClientDocument, Flow};
use crate::model::error::IamError;
use crate::model::group::{BUILT_IN, GroupDocument, Role, role_policy, role_policy_id};
use crate::model::permissions_group::{MANAGED_OWNER, PermissionsGroupDocument};
use crate::model::resource::ResourceDocument;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::session::SessionDocument;
use crate::model::token::RevokedDocument;
use crate::model::user::UserDocument;
use crate::model::user_token::UserTokenDocument;

pub(crate) type Map<V> = GenericHashMap<Box<str>, V, RandomState, DefaultSharedPtr>;

/// What is needed of a service account to check its secret and its tokens.
#[derive(Debug, Clone)]
pub(crate) struct ClientEntry {
    pub(crate) flow: Flow,
    pub(crate) secret: Arc<[u8]>,
}

/// An account at one revision. A clone shares everything; a change copies the path to what it
/// touches, so it costs the same however much the account holds.
#[derive(Debug, Clone)]
pub(crate) struct View {
    region: Region,
    pub(crate) revision: i64,
    policies: PolicySet,
    clients: Map<ClientEntry>,
    resources: Map<Arc<ResourceDocument>>,
    /// When the token would have expired by itself.
    revoked: Map<Instant>,
    revoked_in_order: OrdSet<(Instant, Box<str>)>,
    sessions: Map<Arc<SessionDocument>>,
    users: Map<Arc<UserDocument>>,
    user_tokens: Map<Arc<UserTokenDocument>>,
    groups: Map<()>,
    /// How many of the policies carry out the role of a group.
    roles: usize,
    catalogue: Arc<Catalogue>,
}

/// What a view needs of a stored object. Reading it is the costly part, and needs no view.
pub(crate) enum Piece {
    Nothing,
    Client(Box<str>, ClientEntry),
    Policy(Box<CompiledPolicy>),
    PermissionsGroup(String, CompiledPermissions),
    ResourceGroup(ResourceGroupId, Members),
    Resource(Box<str>, ResourceDocument),
    RevokedToken(Box<str>, Instant),
    Session(Box<str>, SessionDocument),
    User(Box<str>, UserDocument),
    UserToken(Box<str>, UserTokenDocument),
    Group(Box<str>, GroupDocument),
}

impl Piece {
    fn read(
        kind: Kind,
        id: &str,
        document: &str,
        secret: Option<Vec<u8>>,
        region: Region,
    ) -> Result<Self, IamError> {
        Ok(match kind {
            Kind::Account | Kind::Totp | Kind::Passkey | Kind::Api => Self::Nothing,
            Kind::Client => {
                let ClientDocument { flow, .. } = serde_json::from_str(document)?;
                let secret = secret.unwrap_or_default().into();
                Self::Client(id.into(), ClientEntry { flow, secret })
            }
            Kind::Policy => {
                let Rule { rule } = serde_json::from_str(document)?;
                Self::Policy(Box::new(rule.compile(region).map_err(IamError::internal)?))
            }
            Kind::PermissionsGroup => {
                let group: PermissionsGroupDocument = serde_json::from_str(document)?;
                let compiled = group.permissions.compile().map_err(IamError::internal)?;
                Self::PermissionsGroup(group.name, compiled)
            }
            Kind::ResourceGroup => {
                let group: ResourceGroupDocument = serde_json::from_str(document)?;
                let members = if group.everything {
                    Members::Everything
                } else {
                    group.resources.into_iter().map(String::into_boxed_str).collect()
                };
                Self::ResourceGroup(parse_id(id)?, members)
            }
            Kind::Resource => Self::Resource(id.into(), serde_json::from_str(document)?),
            Kind::RevokedToken => {
                let RevokedDocument { expires } = serde_json::from_str(document)?;
                Self::RevokedToken(id.into(), expires)
            }
            Kind::Session => Self::Session(id.into(), serde_json::from_str(document)?),
            Kind::User => Self::User(id.into(), serde_json::from_str(document)?),
            Kind::UserToken => Self::UserToken(id.into(), serde_json::from_str(document)?),
            Kind::Group => Self::Group(id.into(), serde_json::from_str(document)?),
        })
    }

    pub(crate) fn read_all(objects: Vec<Object>, region: Region) -> Result<Vec<Self>, IamError> {
        let read = |one: Object| Self::read(one.kind, &one.id, &one.document, one.secret, region);
        objects.into_iter().map(read).collect()
    }
}

/// What a decision needs of a policy's document.
#[derive(Deserialize)]
pub(crate) struct Rule {
    rule: gatewright_policy::Policy,
}

impl View {
    /// An account of which nothing is known but the groups that every account has.
    pub(crate) fn new(account: &str, region: Region, catalogue: &Arc<Catalogue>) -> Self {
        let mut policies = PolicySet::new(account);
        for group in catalogue.groups() {
            let urn = permissions_group_urn(region, MANAGED_OWNER, &group.name);
            policies.set_permissions_group(&urn, Arc::clone(&group.compiled));
        }
        let mut view = Self {
            region,
            revision: 0,
            policies,
            clients: Map::default(),
            resources: Map::default(),
            revoked: Map::default(),
            revoked_in_order: OrdSet::new(),
            sessions: Map::default(),
            users: Map::default(),
            user_tokens: Map::default(),
            groups: Map::default(),
            roles: 0,
            catalogue: Arc::clone(catalogue),
        };
        for (name, role) in BUILT_IN {
            view.set_role(name, role);
        }
        view
    }

    /// The name of the account.
    pub(crate) fn account(&self) -> &str {
        self.policies.owner()
    }

    /// Which of the account's changes it has followed.
    pub(crate) fn revision(&self) -> i64 {
        self.revision
    }

    /// The account's policies and groups.
    pub(crate) fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The policies that were made, in no order: those that carry out roles are not among them.
    pub(crate) fn own_policies(&self) -> impl Iterator<Item = &CompiledPolicy> {
        let region = self.region;
        let is_role = move |policy: &CompiledPolicy| {
            let first = policy.identities().next();
            let group = first.and_then(|urn| Identity::parse(urn, region).ok());
            group.is_some_and(|group| policy.id() == role_policy_id(&group))
        };
        self.policies.iter().filter(move |policy| !is_role(policy))
    }

    /// How many policies the account has.
    pub(crate) fn policy_count(&self) -> usize {
        self.policies.len() - self.roles
    }

    /// A service account that lives.
    pub(crate) fn client(&self, id: &str) -> Option<&ClientEntry> {
        self.clients.get(id)
    }

    /// The identifiers of all service accounts and other clients, in no order.
    pub(crate) fn client_ids(&self) -> impl Iterator<Item = &str> {
        self.clients.keys().map(|id| &**id)
    }

    pub(crate) fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// A resource of the account by its canonical URN.
    pub(crate) fn resource(&self, urn: &str) -> Option<&Arc<ResourceDocument>> {
        self.resources.get(urn)
    }

    /// All resources of the account with their canonical URNs, in no order.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &Arc<ResourceDocument>)> {
        self.resources.iter().map(|(urn, resource)| (&**urn, resource))
    }

    /// The resource as conditions see it; one that is not known has no tags.
    pub(crate) fn see<'a>(&'a self, urn: &'a ResourceUrn) -> Seen<'a> {
        let bare = Seen::bare(urn.urn(), urn.resource_type(), urn.name());
        match self.resources.get(urn.urn()) {
            None => bare,
            Some(resource) => Seen { tags: &resource.tags, ..bare },
        }
    }

    /// Whether the token of that identifier was revoked.
    pub(crate) fn is_revoked(&self, token: &str) -> bool {
        self.revoked.contains_key(token)
    }

    /// Some revoked tokens that have expired since, and need no longer be remembered.
    pub(crate) fn expired_revocations(&self, now: Instant, most: usize) -> Vec<String> {
        let expired = self.revoked_in_order.iter().take_while(|(expires, _)| *expires < now);
        expired.take(most).map(|(_, token)| token.to_string()).collect()
    }

    /// A session that was not ended, by the hash of its secret; it may have expired.
    pub(crate) fn session(&self, id: &str) -> Option<&Arc<SessionDocument>> {
        self.sessions.get(id)
    }

    /// All sessions that were not ended, in no order.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (&str, &Arc<SessionDocument>)> {
        self.sessions.iter().map(|(id, session)| (&**id, session))
    }

    /// A local user, by account and login.
    pub(crate) fn user(&self, key: &str) -> Option<&Arc<UserDocument>> {
        self.users.get(key)
    }

    /// All local users, in no order.
    pub(crate) fn users(&self) -> impl Iterator<Item = (&str, &Arc<UserDocument>)> {
        self.users.iter().map(|(key, user)| (&**key, user))
    }

    /// A personal access token that was not deleted, by its hash; it may have expired.
    pub(crate) fn user_token(&self, id: &str) -> Option<&Arc<UserTokenDocument>> {
        self.user_tokens.get(id)
    }

    /// All personal access tokens that were not deleted, in no order.
    pub(crate) fn user_tokens(&self) -> impl Iterator<Item = (&str, &Arc<UserTokenDocument>)> {
        self.user_tokens.iter().map(|(id, token)| (&**id, token))
    }

    /// Whether there is such a group beside those that every account has.
    pub(crate) fn has_group(&self, key: &str) -> bool {
        self.groups.contains_key(key)
    }

    /// All groups beside those that every account has, by account and name, in no order.
    pub(crate) fn group_keys(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(|key| &**key)
    }

    /// Gives the members of a group their role, in the place of the one that they had.
    fn set_role(&mut self, name: &str, role: Role) {
        let group = Identity::group(self.region, self.policies.owner(), name);
        let id = role_policy_id(&group);
        if self.policies.get(id).is_some() {
            self.policies.remove(id);
            self.roles -= 1;
        }
        let rule =
            role_policy(self.region, &group, role, |name| self.catalogue.group(name).is_some());
        if let Some(Ok(policy)) = rule.map(|rule| rule.compile(self.region)) {
            self.policies.insert(policy);
            self.roles += 1;
        }
    }

    /// Takes in what was read of a stored object.
    pub(crate) fn put(&mut self, piece: Piece) {
        match piece {
            Piece::Nothing => {}
            Piece::Client(id, client) => drop(self.clients.insert(id, client)),
            Piece::Policy(policy) => self.policies.insert(*policy),
            Piece::PermissionsGroup(name, permissions) => {
                let urn = self.permissions_group_urn(&name);
                self.policies.set_permissions_group(&urn, Arc::new(permissions));
            }
            Piece::ResourceGroup(id, members) => self.policies.set_resource_group(id, members),
            Piece::Resource(urn, resource) => drop(self.resources.insert(urn, Arc::new(resource))),
            Piece::RevokedToken(id, expires) => {
                self.revoked.insert(id.clone(), expires);
                self.revoked_in_order.insert((expires, id));
            }
            Piece::User(key, user) => drop(self.users.insert(key, Arc::new(user))),
            Piece::UserToken(id, token) => drop(self.user_tokens.insert(id, Arc::new(token))),
            Piece::Group(key, group) => {
                self.set_role(&group.name, group.role);
                self.groups.insert(key, ());
            }
            Piece::Session(id, session) => drop(self.sessions.insert(id, Arc::new(session))),
        }
    }

    /// Applies the next entry of the journal. `secret` is that of a service account that the entry
    /// creates, since the journal holds none.
    pub(crate) fn apply(&mut self, entry: &Entry, secret: Option<Vec<u8>>) -> Result<(), IamError> {
        let id = entry.object.as_str();
        // A group may have been renamed: what goes is what was there before.
        if let (Kind::PermissionsGroup, Some(before)) = (entry.kind, &entry.before) {
            let group: PermissionsGroupDocument = serde_json::from_str(before)?;
            let urn = self.permissions_group_urn(&group.name);
            self.policies.remove_permissions_group(&urn);
        }
        match &entry.after {
            Some(document) => {
                let kept = || self.clients.get(id).map(|client| client.secret.to_vec());
                let secret = secret.or_else(kept);
                // A service account that was created and is gone again is not worth a place.
                if entry.kind != Kind::Client || secret.is_some() {
                    self.put(Piece::read(entry.kind, id, document, secret, self.region)?);
                }
            }
            None => match entry.kind {
                Kind::Account | Kind::Totp | Kind::Passkey | Kind::PermissionsGroup | Kind::Api => {
                }
                Kind::Client => drop(self.clients.remove(id)),
                Kind::Policy => self.policies.remove(parse_id(id)?),
                Kind::ResourceGroup => self.policies.remove_resource_group(parse_id(id)?),
                Kind::Resource => drop(self.resources.remove(id)),
                Kind::RevokedToken => {
                    if let Some(expires) = self.revoked.remove(id) {
                        self.revoked_in_order.remove(&(expires, id.into()));
                    }
                }
                Kind::Session => drop(self.sessions.remove(id)),
                Kind::User => drop(self.users.remove(id)),
                Kind::UserToken => drop(self.user_tokens.remove(id)),
                Kind::Group => {
                    if let Some((_, name)) = id.split_once('/') {
                        self.set_role(name, Role::None);
                    }
                    self.groups.remove(id);
                }
            },
        }
        self.revision = entry.revision;
        Ok(())
    }

    fn permissions_group_urn(&self, name: &str) -> String {
        permissions_group_urn(self.region, self.policies.owner(), name)
    }
}

/// Parses the identifier of a stored object.
fn parse_id<T: FromStr<Err = uuid::Error>>(text: &str) -> Result<T, IamError> {
    text.parse().map_err(IamError::internal)
}
