//! Resources and their tags: their documents, inputs and rules.

use std::collections::BTreeMap;

use gatewright_policy::{AccountName, Fact, Instant, ResourceId, ResourceUrn, Tags};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::document::{Document, Place, Properties, Reflection};
use crate::model::error::{Fault, IamError};
use crate::model::precondition::EntityTag;

/// The prefix of system tags, which belong to the operator of the server.
const SYSTEM: &str = "ovh:";

/// Returns whether a tag is a system tag, which only the operator of the server may set.
pub fn is_system_tag(key: &str) -> bool {
    key.starts_with(SYSTEM)
}

/// Returns whether the key of a tag begins with the reserved prefix in any case. One of another case
/// is nobody's: it was set before this was checked, and may be removed.
fn is_reserved(key: &str) -> bool {
    key.get(..SYSTEM.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(SYSTEM))
}

/// Refuses to set a tag whose key is reserved.
pub(crate) fn check_reserved(key: &str) -> Result<(), IamError> {
    if is_reserved(key) { Err(system_tag(key)) } else { Ok(()) }
}

/// The document of a resource; its URN is its identifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceDocument {
    pub(crate) display_name: String,
    pub(crate) tags: Tags,
    pub(crate) created_at: Instant,
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The identifier, which is derived from its URN.
    pub id: ResourceId,
    /// The URN.
    pub urn: ResourceUrn,
    /// The display name.
    pub display_name: String,
    /// The account that owns it.
    pub owner: AccountName,
    /// The tags, by key.
    pub tags: BTreeMap<String, String>,
    /// The entity tag of what is shown of it.
    pub tag: EntityTag,
}

/// The input that registers a resource.
#[derive(Debug, Clone)]
pub struct NewResource {
    /// The URN, with its type and its name.
    pub urn: String,
    /// The display name; the name in its URN, when there is none.
    pub display_name: Option<String>,
    /// The account that shall own it; the caller's, when there is none.
    pub owner: Option<AccountName>,
    /// The tags, by key.
    pub tags: BTreeMap<String, String>,
}

/// Derives the identifier of a resource from its canonical URN.
pub fn resource_id(urn: &str) -> ResourceId {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, urn.as_bytes()).into()
}

impl ResourceDocument {
    pub(crate) fn resource(
        &self,
        urn: ResourceUrn,
        owner: &AccountName,
    ) -> Result<Resource, IamError> {
        Ok(Resource {
            tag: self.tag_under(owner)?,
            id: resource_id(urn.urn()),
            urn,
            display_name: self.display_name.clone(),
            owner: owner.clone(),
            tags: self.tags.clone(),
        })
    }

    /// Returns the entity tag; its URN is that of the object, and its creation is not shown.
    fn tag_under(&self, owner: &AccountName) -> Result<EntityTag, IamError> {
        EntityTag::of(Self::KIND, &(owner.as_str(), &self.display_name, &self.tags))
    }
}

pub(crate) fn check_tag(key: &str, value: &str) -> Result<(), IamError> {
    let sound = |text: &str, most: usize| {
        text.len() <= most
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:/=+@-".contains(&b))
    };
    let message = if key.is_empty() || !sound(key, 128) {
        format!("the tag key \"{key}\" must have 1 to 128 letters, digits and _.:/=+@-")
    } else if !sound(value, 256) {
        format!("the value of the tag \"{key}\" may have 256 letters, digits and _.:/=+@- only")
    } else {
        return Ok(());
    };
    Err(IamError::invalid(Fault::Format, message))
}

pub(crate) fn system_tag(key: &str) -> IamError {
    let message = format!(
        "the tag \"{key}\" cannot be changed: keys that begin with {SYSTEM} are \
                           the server's"
    );
    IamError::invalid(Fault::Parameter, message)
}

impl Document for ResourceDocument {
    const KIND: Kind = Kind::Resource;

    const PROPERTIES: Properties =
        Properties { reflection: Reflection::ResourceOwners, ..Properties::PLAIN };

    fn name(&self, place: Place<'_>) -> Option<String> {
        Some(resource_id(place.id).to_string())
    }

    fn tag(&self, place: Place<'_>) -> Result<EntityTag, IamError> {
        self.tag_under(place.account)
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let tags = after.map(Self::read).transpose()?.map(|resource| resource.tags);
        Ok(vec![Fact::Resource { urn: place.id.into(), tags }])
    }
}
