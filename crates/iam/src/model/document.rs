//! Documents: the stored content of objects, one type for each kind of object.

use gatewright_policy::{AccountName, Fact, Region};
use gatewright_store::{Act, Change, Content, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::error::IamError;
use crate::model::precondition::EntityTag;

/// A reference to an object: its account and its identifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) region: Region,
    pub(crate) account: &'a AccountName,
    pub(crate) id: &'a str,
}

/// The form of the identifiers of a kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdForm {
    /// A name, a URN or a UUID, which people are shown.
    Readable,
    /// A hash, as that of the secret of a session.
    Hash,
}

/// The memory outside of an account's view that reflects the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reflection {
    /// None.
    None,
    /// The accounts that resources belong to.
    ResourceOwners,
    /// The live catalogue.
    Catalogue,
}

/// The properties of a kind of object that its documents do not show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Properties {
    pub(crate) id_form: IdForm,
    pub(crate) reflection: Reflection,
}

impl Properties {
    /// The properties of most kinds.
    pub(crate) const PLAIN: Self = Self { id_form: IdForm::Readable, reflection: Reflection::None };
}

/// The stored document of an object of one kind.
///
/// Documents that older versions wrote must stay readable: a new field has a default. No secret is
/// in a document, since the journal has every document for good.
pub(crate) trait Document: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind of the objects.
    const KIND: Kind;

    /// The properties of the kind.
    const PROPERTIES: Properties = Properties::PLAIN;

    /// Parses a stored document.
    fn read(text: &str) -> Result<Self, IamError> {
        serde_json::from_str(text).map_err(|error| IamError::malformed_document(Self::KIND, error))
    }

    /// Returns the name of the object: unique among the account's objects of the kind.
    fn name(&self, _: Place<'_>) -> Option<String> {
        None
    }

    /// Lists the other accounts that the document mentions.
    fn mentions(&self, _: Place<'_>) -> Vec<AccountName> {
        Vec::new()
    }

    /// Lists the facts that replicas receive about the object, from its documents before and after.
    /// They hold no secret, and nothing about sessions. `is_managed` recognizes the managed
    /// permissions groups.
    fn facts(
        _: Place<'_>,
        _before: Option<&str>,
        _after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        Ok(Vec::new())
    }

    /// Returns the tag of the object: of all that its document holds, where responses show all of it.
    fn tag(&self, _: Place<'_>) -> Result<EntityTag, IamError> {
        EntityTag::of(Self::KIND, self)
    }

    /// Serializes the document, with the keys by which the database finds it.
    fn content(&self, place: Place<'_>) -> Result<Content, IamError> {
        Ok(Content {
            name: self.name(place),
            document: serde_json::to_string(self)?,
            mentions: self.mentions(place),
        })
    }

    /// Builds the change that creates the object, with the hash of its secret if it has one.
    fn create(&self, place: Place<'_>, secret: Option<Vec<u8>>) -> Result<Change, IamError> {
        let act = Act::Create { content: self.content(place)?, secret };
        Ok(Change { kind: Self::KIND, id: place.id.to_owned(), act })
    }

    /// Builds the change that replaces the document `from`; fails as stale where that is no longer
    /// stored.
    fn update(
        &self,
        place: Place<'_>,
        from: String,
        secret: Option<Vec<u8>>,
    ) -> Result<Change, IamError> {
        let act = Act::Update { from, content: self.content(place)?, secret };
        Ok(Change { kind: Self::KIND, id: place.id.to_owned(), act })
    }

    /// Builds the change that deletes an object of the kind.
    fn delete(id: &str) -> Change {
        Change { kind: Self::KIND, id: id.to_owned(), act: Act::Delete { from: None } }
    }

    /// Builds the change that deletes the object with the document `from`; fails as stale where that
    /// is no longer stored.
    fn delete_from(id: &str, from: String) -> Change {
        Change { kind: Self::KIND, id: id.to_owned(), act: Act::Delete { from: Some(from) } }
    }
}
