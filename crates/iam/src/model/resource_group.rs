//! Resource groups: their documents, inputs and rules.

use gatewright_policy::{
    AccountName, Fact, Instant, Region, ResourceGroupId, ResourceId, ResourceUrn,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::limits::{URN_BYTES, check_bytes};
use crate::model::precondition::EntityTag;

/// The document of a resource group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceGroupDocument {
    pub(crate) name: String,
    pub(crate) read_only: bool,
    /// True if it contains every resource of the account; then it lists none.
    pub(crate) everything: bool,
    /// Canonical URNs of its resources.
    pub(crate) resources: Vec<String>,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Option<Instant>,
}

/// A resource group of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    /// The identifier, in which its URN ends.
    pub id: ResourceGroupId,
    /// The display name.
    pub name: String,
    /// The account that owns it.
    pub owner: AccountName,
    /// True if it is managed by the server.
    pub read_only: bool,
    /// The canonical URNs of its resources.
    pub resources: Vec<String>,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last update, if there was one.
    pub updated_at: Option<Instant>,
    /// The tag of what is shown of it; the resources of a managed group are not part of it.
    pub tag: EntityTag,
}

/// A reference to a resource in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// The identifier of the resource.
    Id(ResourceId),
    /// The URN of the resource.
    Urn(String),
}

/// The input that creates or replaces a resource group.
#[derive(Debug, Clone)]
pub struct ResourceGroupInput {
    /// The display name.
    pub name: String,
    /// Its resources.
    pub resources: Vec<Member>,
}

pub(crate) fn canonical(index: usize, urn: &str, region: Region) -> Result<String, IamError> {
    check_bytes(&format!("resources[{index}].urn"), urn, URN_BYTES)?;
    let urn = ResourceUrn::parse(urn, region).map_err(|error| {
        let message = format!(
            "urn \"resources[{index}].urn\" {error}, expected urn:v1:region:resource:type:name"
        );
        IamError::invalid(Fault::ResourceUrn, message)
    })?;
    Ok(urn.urn().to_owned())
}

impl Document for ResourceGroupDocument {
    const KIND: Kind = Kind::ResourceGroup;

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let id = place.id.parse().map_err(IamError::internal)?;
        Ok(vec![match after.map(Self::read).transpose()? {
            Some(group) if group.everything => Fact::EveryResource { id },
            group => {
                let urns = group.map(|group| group.resources.into_iter());
                let members = urns.map(|urns| urns.map(String::into_boxed_str).collect());
                Fact::ResourceGroup { id, members }
            }
        }])
    }
}
