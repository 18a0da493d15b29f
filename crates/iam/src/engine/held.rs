//! Reads from rows and entries what views hold of each kind of object, and applies changes to them.

use std::sync::Arc;

use gatewright_policy::{Fact, Members, Region, permissions_group_urn};
use gatewright_store::{Entry, Kind, Object};

use crate::engine::view::{ClientEntry, View};
use crate::model::account::{Profile, SecondFactor};
use crate::model::client::ClientDocument;
use crate::model::document::{Document, Place, Properties};
use crate::model::error::IamError;
use crate::model::group::{GroupDocument, Role};
use crate::model::guarded_api::ApiDocument;
use crate::model::passkey::PasskeyDocument;
use crate::model::permissions_group::PermissionsGroupDocument;
use crate::model::policy::Policy;
use crate::model::principal_key::group_of_key;
use crate::model::resource::ResourceDocument;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::session::SessionDocument;
use crate::model::token::RevokedDocument;
use crate::model::totp::TotpDocument;
use crate::model::user::UserDocument;
use crate::model::user_token::UserTokenDocument;

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
    SessionDocument => sessions,
    UserDocument => users,
    UserTokenDocument => user_tokens
);

impl Held for ResourceDocument {
    fn read_held(self, place: Place<'_>, _: Option<Vec<u8>>) -> Result<Insert, IamError> {
        let (urn, document) = (Box::<str>::from(place.id), Arc::new(self));
        Ok(Box::new(move |view| {
            Self::remove(view, &urn, "")?;
            view.resources.insert(&urn, Arc::clone(&document));
            view.resources_in_order.insert((document.created_at, urn));
            Ok(())
        }))
    }

    fn remove(view: &mut View, urn: &str, _: &str) -> Result<(), IamError> {
        if let Some(document) = view.resources.remove(urn) {
            view.resources_in_order.remove(&(document.created_at, urn.into()));
        }
        Ok(())
    }
}

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
            created_at: self.created_at,
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
            let insert = for_kind(entry.kind, ReadDocument { place, document, secret })?;
            if let Some(insert) = insert {
                insert(self)?;
            }
        }
        self.position.revision = entry.revision;
        self.position.hash = entry.hash;
        Ok(())
    }
}

struct ReadDocument<'a> {
    place: Place<'a>,
    document: &'a str,
    secret: Option<Vec<u8>>,
}

impl ForKind for ReadDocument<'_> {
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
        let read = ReadDocument { place, document: &object.document, secret: object.secret };
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
