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
    AccountName, Fact, GroupName, Identity, Instant, Members, PolicySet, Region, Revision,
    permissions_group_urn,
};
use gatewright_store::{Entry, Generation, Kind, Object, Position};
use imbl::OrdSet;

use crate::catalogue::index::Catalogue;
use crate::engine::objects::Objects;
use crate::model::account::{Profile, SecondFactor};
use crate::model::client::{ClientDocument, Flow};
use crate::model::document::{Document, Place, Properties};
use crate::model::error::IamError;
use crate::model::group::{BUILT_IN, GroupDocument, Role, role_policy, role_policy_id};
use crate::model::guarded_api::ApiDocument;
use crate::model::passkey::PasskeyDocument;
use crate::model::permissions_group::{MANAGED_OWNER, PermissionsGroupDocument};
use crate::model::policy::Policy;
use crate::model::principal_key::group_of_key;
use crate::model::resource::ResourceDocument;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::session::SessionDocument;
use crate::model::token::RevokedDocument;
use crate::model::totp::TotpDocument;
use crate::model::user::UserDocument;
use crate::model::user_token::UserTokenDocument;

/// The fields of a service account that its authentication needs.
#[derive(Debug, Clone)]
pub(crate) struct ClientEntry {
    pub(crate) flow: Flow,
    pub(crate) enabled: bool,
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

/// A view: an account at one revision. A clone shares everything; a change copies the path to what
/// it touches (copy-on-write), so it costs the same however much the account holds.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(super) region: Region,
    /// The last entry of the journal that was applied.
    position: Position,
    /// The generation of the database that it was read in.
    generation: Generation,
    pub(super) policies: PolicySet,
    /// Service accounts and other clients that are not deleted.
    pub(crate) clients: Objects<ClientEntry>,
    /// Resources, by canonical URN.
    pub(crate) resources: Objects<Arc<ResourceDocument>>,
    /// Expiry times of revoked tokens, by the token's identifier.
    pub(super) revoked: Objects<Instant>,
    pub(super) revoked_in_order: OrdSet<(Instant, Box<str>)>,
    /// Sessions that are not ended, by the hash of their secret; some may have expired.
    pub(crate) sessions: Objects<Arc<SessionDocument>>,
    /// Whether the people of the account need a second factor.
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
    catalogue: Arc<Catalogue>,
}

/// A function that inserts an object into a view, once the object is read.
pub(super) type Insert = Box<dyn FnOnce(&mut View) -> Result<(), IamError> + Send>;

/// Defines the form in which a view holds the objects of a kind; by default it holds none.
trait Held: Document {
    /// True if views hold objects of the kind.
    const IS_HELD: bool = true;

    /// Reads the held part of an object: the costly step, which needs no view.
    fn read_held(self, place: Place<'_>, secret: Option<Vec<u8>>) -> Result<Insert, IamError>;

    /// Removes an object from the view; `before` is its last document.
    fn remove(view: &mut View, id: &str, before: &str) -> Result<(), IamError>;

    /// Returns the hash of an object's secret, if the view holds it.
    fn held_secret(_: &View, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// Implements [`Held`] for kinds that no decision and no token needs.
macro_rules! not_held {
    ($($document:ty),*) => {$(
        impl Held for $document {
            const IS_HELD: bool = false;

            fn read_held(self, _: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
                Ok(Box::new(|_| Ok(())))
            }

            fn remove(_: &mut View, _: &str, _: &str) -> Result<(), IamError> {
                Ok(())
            }
        }
    )*};
}

/// Implements [`Held`] for kinds of which the whole document is held, by its identifier.
macro_rules! held_whole {
    ($($document:ty => $objects:ident),*) => {$(
        impl Held for $document {
            fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
                let (id, document) = (Box::<str>::from(place.id), Arc::new(self));
                Ok(Box::new(move |view| {
                    view.$objects.insert(&id, document);
                    Ok(())
                }))
            }

            fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
                view.$objects.remove(id);
                Ok(())
            }
        }
    )*};
}

not_held!(ApiDocument);

held_whole!(
    ResourceDocument => resources,
    SessionDocument => sessions,
    UserDocument => users,
    UserTokenDocument => user_tokens
);

impl Held for Profile {
    fn read_held(self, _: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        Ok(Box::new(move |view| {
            view.second_factor = self.second_factor;
            Ok(())
        }))
    }

    fn remove(view: &mut View, _: &str, _: &str) -> Result<(), IamError> {
        view.second_factor = SecondFactor::default();
        Ok(())
    }
}

/// Returns the insertion of a second factor, of which a view holds whose it is.
fn insert_second_factor(id: &str, person: &str) -> Insert {
    let (id, person) = (Box::<str>::from(id), Box::<str>::from(person));
    Box::new(move |view| {
        view.second_factors.insert(&id, person);
        Ok(())
    })
}

impl Held for TotpDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        // An authenticator is stored under the URN of its person.
        Ok(insert_second_factor(place.id, place.id))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.second_factors.remove(id);
        Ok(())
    }
}

impl Held for PasskeyDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        Ok(insert_second_factor(place.id, &self.identity))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.second_factors.remove(id);
        Ok(())
    }
}

impl Held for ClientDocument {
    fn read_held(self, place: Place<'_>, secret: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let id = Box::<str>::from(place.id);
        // A client without a secret was deleted since, and is not held.
        let client = secret.map(|secret| ClientEntry {
            flow: self.flow(),
            enabled: self.is_enabled(),
            enabled_at: self.enabled_at,
            secret: secret.into(),
        });
        Ok(Box::new(move |view| {
            if let Some(client) = client {
                view.clients.insert(&id, client);
            }
            Ok(())
        }))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.clients.remove(id);
        Ok(())
    }

    fn held_secret(view: &View, id: &str) -> Option<Vec<u8>> {
        view.clients.get(id).map(|client| client.secret.to_vec())
    }
}

impl Held for Policy {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let policy = Box::new(self.rule.compile(place.region).map_err(IamError::internal)?);
        Ok(Box::new(move |view| {
            view.policies.insert(*policy);
            Ok(())
        }))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.policies.remove(id.parse().map_err(IamError::internal)?);
        Ok(())
    }
}

impl Held for PermissionsGroupDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let urn = permissions_group_urn(place.region, place.account, &self.name);
        let permissions = Arc::new(self.permissions.compile().map_err(IamError::internal)?);
        Ok(Box::new(move |view| {
            view.policies.set_permissions_group(&urn, permissions);
            Ok(())
        }))
    }

    fn remove(view: &mut View, _: &str, before: &str) -> Result<(), IamError> {
        // Groups are held by name, which a change may have replaced.
        let name = Self::read(before)?.name;
        let urn = permissions_group_urn(view.region, view.account(), &name);
        view.policies.remove_permissions_group(&urn);
        Ok(())
    }
}

impl Held for ResourceGroupDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let id = place.id.parse().map_err(IamError::internal)?;
        let members = if self.everything {
            Members::Everything
        } else {
            self.resources.into_iter().map(String::into_boxed_str).collect()
        };
        Ok(Box::new(move |view| {
            view.policies.set_resource_group(id, members);
            Ok(())
        }))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.policies.remove_resource_group(id.parse().map_err(IamError::internal)?);
        Ok(())
    }
}

impl Held for RevokedDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let (id, expires) = (Box::<str>::from(place.id), self.expires);
        Ok(Box::new(move |view| {
            view.revoked.insert(&id, expires);
            view.revoked_in_order.insert((expires, id));
            Ok(())
        }))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        if let Some(expires) = view.revoked.remove(id) {
            view.revoked_in_order.remove(&(expires, id.into()));
        }
        Ok(())
    }
}

impl Held for GroupDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let id = Box::<str>::from(place.id);
        Ok(Box::new(move |view| {
            view.set_role(&self.name, self.role)?;
            view.groups.insert(&id, ());
            Ok(())
        }))
    }

    fn remove(view: &mut View, id: &str, _: &str) -> Result<(), IamError> {
        view.set_role(&group_of_key(id)?, Role::None)?;
        view.groups.remove(id);
        Ok(())
    }
}

/// A generic operation on the document type of a kind.
trait ForKind {
    type Output;

    fn run<D: Held>(self) -> Self::Output;
}

/// Dispatches an operation to the document type of a kind: the only place that lists them all.
fn for_kind<F: ForKind>(kind: Kind, job: F) -> F::Output {
    match kind {
        Kind::Account => job.run::<Profile>(),
        Kind::Client => job.run::<ClientDocument>(),
        Kind::Policy => job.run::<Policy>(),
        Kind::PermissionsGroup => job.run::<PermissionsGroupDocument>(),
        Kind::ResourceGroup => job.run::<ResourceGroupDocument>(),
        Kind::Resource => job.run::<ResourceDocument>(),
        Kind::RevokedToken => job.run::<RevokedDocument>(),
        Kind::Session => job.run::<SessionDocument>(),
        Kind::User => job.run::<UserDocument>(),
        Kind::UserToken => job.run::<UserTokenDocument>(),
        Kind::Totp => job.run::<TotpDocument>(),
        Kind::Passkey => job.run::<PasskeyDocument>(),
        Kind::Group => job.run::<GroupDocument>(),
        Kind::Api => job.run::<ApiDocument>(),
    }
}

impl View {
    /// Creates an empty view of an account, with only the built-in groups.
    pub(crate) fn new(
        account: AccountName,
        region: Region,
        catalogue: &Arc<Catalogue>,
    ) -> Result<Self, IamError> {
        let position = Position::origin(&account);
        let mut policies = PolicySet::new(account);
        for group in catalogue.groups() {
            let urn = permissions_group_urn(region, &MANAGED_OWNER, &group.name);
            policies.set_permissions_group(&urn, Arc::clone(&group.compiled));
        }
        let mut view = Self {
            region,
            position,
            generation: Generation::new(0),
            policies,
            clients: Objects::default(),
            resources: Objects::default(),
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
        let hash = self.position.hash.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(hash)
    }

    /// Returns the policies and permissions groups of the account.
    pub(crate) fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Sets the role of a group, in place of its previous role. Fails where its policy does not
    /// compile: a view without it would decide by other policies than the account has.
    fn set_role(&mut self, name: &GroupName, role: Role) -> Result<(), IamError> {
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

    /// Applies the next entry of the journal. `secret` is the hash of the secret of an object that
    /// the entry creates, since the journal holds none.
    pub(super) fn apply(&mut self, entry: &Entry, secret: Option<Vec<u8>>) -> Result<(), IamError> {
        let account = self.account().clone();
        let place = Place { region: self.region, account: &account, id: &entry.object };
        let secret =
            secret.or_else(|| for_kind(entry.kind, HeldSecret { view: self, id: place.id }));
        if let Some(before) = &entry.before {
            for_kind(entry.kind, Remove { view: self, id: place.id, before })?;
        }
        if let Some(document) = &entry.after {
            let insert = for_kind(entry.kind, Read { place, document, secret })?;
            if let Some(insert) = insert {
                insert(self)?;
            }
        }
        self.position.revision = entry.revision;
        self.position.hash.clone_from(&entry.hash);
        Ok(())
    }
}

struct Read<'a> {
    place: Place<'a>,
    document: &'a str,
    secret: Option<Vec<u8>>,
}

impl ForKind for Read<'_> {
    type Output = Result<Option<Insert>, IamError>;

    fn run<D: Held>(self) -> Self::Output {
        if !D::IS_HELD {
            return Ok(None);
        }
        D::read(self.document)?.read_held(self.place, self.secret).map(Some)
    }
}

struct Remove<'a> {
    view: &'a mut View,
    id: &'a str,
    before: &'a str,
}

impl ForKind for Remove<'_> {
    type Output = Result<(), IamError>;

    fn run<D: Held>(self) -> Self::Output {
        D::remove(self.view, self.id, self.before)
    }
}

struct HeldSecret<'a> {
    view: &'a View,
    id: &'a str,
}

impl ForKind for HeldSecret<'_> {
    type Output = Option<Vec<u8>>;

    fn run<D: Held>(self) -> Self::Output {
        D::held_secret(self.view, self.id)
    }
}

/// Reads the held parts of stored objects.
pub(super) fn read_all(objects: Vec<Object>, region: Region) -> Result<Vec<Insert>, IamError> {
    let read = |object: Object| {
        let place = Place { region, account: &object.account, id: &object.id };
        let read = Read { place, document: &object.document, secret: object.secret };
        for_kind(object.kind, read).transpose()
    };
    objects.into_iter().filter_map(read).collect()
}

/// Computes the facts that replicas receive about an object, from its documents before and after a
/// change.
pub(crate) struct Facts<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) is_managed: &'a dyn Fn(&str) -> bool,
}

impl Facts<'_> {
    /// Lists the facts about an object of a kind.
    pub(crate) fn of(self, kind: Kind) -> Result<Vec<Fact>, IamError> {
        for_kind(kind, self)
    }
}

impl ForKind for Facts<'_> {
    type Output = Result<Vec<Fact>, IamError>;

    fn run<D: Held>(self) -> Self::Output {
        D::facts(self.place, self.before, self.after, self.is_managed)
    }
}

/// Returns the properties of a kind of object.
pub(crate) fn properties(kind: Kind) -> Properties {
    for_kind(kind, PropertiesOf)
}

struct PropertiesOf;

impl ForKind for PropertiesOf {
    type Output = Properties;

    fn run<D: Held>(self) -> Properties {
        D::PROPERTIES
    }
}
