//! Resource groups: their documents, inputs and rules.

use gatewright_policy::{Fact, Instant, Region, ResourceGroupId, ResourceId, ResourceUrn};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};

/// What is remembered of a resource group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceGroupDocument {
    pub(crate) name: String,
    pub(crate) read_only: bool,
    /// Whether it holds every resource of the account; then it lists none.
    pub(crate) everything: bool,
    /// Canonical URNs.
    pub(crate) resources: Vec<String>,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Option<Instant>,
}

/// A resource group of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    /// What its URN ends in.
    pub id: ResourceGroupId,
    /// What people call it.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// Whether it belongs to the server.
    pub read_only: bool,
    /// The canonical URNs of its resources.
    pub resources: Vec<String>,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed, if it was.
    pub updated_at: Option<Instant>,
}

/// How a resource is named in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// By its identifier.
    Id(ResourceId),
    /// By its URN.
    Urn(String),
}

/// A resource group to be made, or what one shall be from now on.
#[derive(Debug, Clone)]
pub struct ResourceGroupInput {
    /// What people call it.
    pub name: String,
    /// Its resources.
    pub resources: Vec<Member>,
}

pub(crate) fn canonical(index: usize, urn: &str, region: Region) -> Result<String, IamError> {
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
