//! Permissions groups: their documents, inputs and rules.

use gatewright_policy::{Fact, Instant, Permissions, PermissionsGroupId, permissions_group_urn};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::input::{check_name, check_text};
use crate::model::policy::check_permissions;

/// What is remembered of a permissions group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionsGroupDocument {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) permissions: Permissions,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Option<Instant>,
}

/// A permissions group of the account or of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionsGroup {
    /// Its identifier.
    pub id: PermissionsGroupId,
    /// What policies name it by.
    pub urn: String,
    /// The last part of the URN.
    pub name: String,
    /// The account that owns it, or the server.
    pub owner: String,
    /// What it is for.
    pub description: String,
    /// What it permits.
    pub permissions: Permissions,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed, if it was.
    pub updated_at: Option<Instant>,
}

/// A permissions group to be made, or what one shall be from now on.
#[derive(Debug, Clone)]
pub struct PermissionsGroupInput {
    /// Unique in the account.
    pub name: String,
    /// At most 1024 characters.
    pub description: String,
    /// What it permits.
    pub permissions: Permissions,
}

impl PermissionsGroupInput {
    pub(crate) fn check(mut self, most: usize) -> Result<PermissionsGroupDocument, IamError> {
        check_name("name", &self.name)?;
        check_text("description", &self.description, 0, 1024)?;
        check_permissions(&mut self.permissions, most)?;
        self.permissions
            .compile()
            .map_err(|error| IamError::invalid(Fault::Format, error.to_string()))?;
        Ok(PermissionsGroupDocument {
            name: self.name,
            description: self.description,
            permissions: self.permissions,
            created_at: Instant::EPOCH,
            updated_at: None,
        })
    }
}

/// Who owns the managed permissions groups.
pub const MANAGED_OWNER: &str = "ovh";

impl Document for PermissionsGroupDocument {
    const KIND: Kind = Kind::PermissionsGroup;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(self.name.clone())
    }

    fn facts(
        place: Place<'_>,
        before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let fact = |name: &str, permissions| {
            let urn = permissions_group_urn(place.region, place.account, name);
            Fact::PermissionsGroup { urn, permissions }
        };
        // It may have been renamed: what goes is what was there before.
        let (before, after) = (before.map(Self::read), after.map(Self::read));
        let gone = before.transpose()?.map(|group| fact(&group.name, None));
        let is_there = after.transpose()?.map(|group| fact(&group.name, Some(group.permissions)));
        Ok(gone.into_iter().chain(is_there).collect())
    }
}
