//! Permissions groups: their documents, inputs and rules.

use std::sync::LazyLock;

use gatewright_policy::{
    AccountName, Fact, Instant, Permissions, PermissionsGroupId, permissions_group_urn,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::input::{check_name, check_text};
use crate::model::limits::Limits;
use crate::model::policy::{check_actions, check_permissions};
use crate::model::precondition::EntityTag;

/// The document of a permissions group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionsGroupDocument {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) permissions: Permissions,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Option<Instant>,
}

/// A permissions group of the account, or a managed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionsGroup {
    /// The identifier.
    pub id: PermissionsGroupId,
    /// The URN by which policies name it.
    pub urn: String,
    /// The last part of the URN.
    pub name: String,
    /// The account that owns it, or [`MANAGED_OWNER`].
    pub owner: AccountName,
    /// The description of its purpose.
    pub description: String,
    /// The permissions.
    pub permissions: Permissions,
    /// The time of its creation; none for a managed group whose product does not say.
    pub created_at: Option<Instant>,
    /// The time of its last update, if there was one.
    pub updated_at: Option<Instant>,
    /// The tag of what is shown of it.
    pub tag: EntityTag,
}

impl PermissionsGroup {
    /// Returns whether the server manages the group, so that no account can change it.
    pub fn is_managed(&self) -> bool {
        self.owner == *MANAGED_OWNER
    }
}

/// The input that creates or replaces a permissions group.
#[derive(Debug, Clone)]
pub struct PermissionsGroupInput {
    /// The name, unique in the account.
    pub name: String,
    /// The description, at most 1024 characters.
    pub description: String,
    /// The permissions.
    pub permissions: Permissions,
}

impl PermissionsGroupInput {
    pub(crate) fn check(mut self, limits: &Limits) -> Result<PermissionsGroupDocument, IamError> {
        check_name("name", &self.name)?;
        check_text("description", &self.description, 0, 1024)?;
        check_permissions(&mut self.permissions, limits.entries)?;
        limits.check_permissions(&self.permissions)?;
        check_actions(&self.permissions)?;
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

/// The owner of the managed permissions groups.
pub static MANAGED_OWNER: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("ovh"));

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
        // The group may have been renamed: the fact under its previous name is removed.
        let (before, after) = (before.map(Self::read), after.map(Self::read));
        let gone = before.transpose()?.map(|group| fact(&group.name, None));
        let is_there = after.transpose()?.map(|group| fact(&group.name, Some(group.permissions)));
        Ok(gone.into_iter().chain(is_there).collect())
    }
}
