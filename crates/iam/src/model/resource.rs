//! Resources and their tags: their documents, inputs and rules.

use std::collections::BTreeMap;

use gatewright_policy::{Fact, Instant, ResourceId, ResourceUrn, Tags};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};

/// Keys that begin so belong to the server's owner.
const SYSTEM: &str = "ovh:";

/// Checks whether a tag is the system's: only the server's owner may set it.
pub fn is_system_tag(key: &str) -> bool {
    key.starts_with(SYSTEM)
}

/// What is remembered of a resource; its URN is its identifier.
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
    /// Its identifier, which follows from its URN.
    pub id: ResourceId,
    /// Its URN.
    pub urn: ResourceUrn,
    /// What people call it.
    pub display_name: String,
    /// The account that it belongs to.
    pub owner: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A resource to be made.
#[derive(Debug, Clone)]
pub struct NewResource {
    /// Its type and its name.
    pub urn: String,
    /// What people call it; its name, when there is none.
    pub display_name: Option<String>,
    /// The account that it shall belong to; the caller's, when there is none.
    pub owner: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The identifier of the resource with that canonical URN.
pub fn resource_id(urn: &str) -> ResourceId {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, urn.as_bytes()).into()
}

impl ResourceDocument {
    pub(crate) fn resource(&self, urn: ResourceUrn, owner: &str) -> Resource {
        Resource {
            id: resource_id(urn.urn()),
            urn,
            display_name: self.display_name.clone(),
            owner: owner.to_owned(),
            tags: self.tags.clone(),
        }
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

    fn name(&self, place: Place<'_>) -> Option<String> {
        Some(resource_id(place.id).to_string())
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
