//! Groups of users and their roles: their documents, inputs and rules.

use std::sync::LazyLock;

use gatewright_policy::{
    AccountName, Fact, GroupName, Identity, Instant, Permissions, Policy as Rule, PolicyId, Region,
    ResourcePattern, permissions_group_urn,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::document::{Document, Place};
use crate::model::error::IamError;
use crate::model::input::check_principal_name;
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::precondition::EntityTag;
use crate::model::principal_key::group_of_key;

/// The role of a group: the permissions of its members, in addition to those that policies allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// All actions.
    Admin,
    /// No actions.
    #[default]
    None,
    /// All actions except the management of users.
    Regular,
    /// Read-only actions.
    Unprivileged,
}

impl Role {
    /// Returns the managed permissions group of the role, if it has one.
    const fn permissions_group(self) -> Option<&'static str> {
        match self {
            Self::Admin => Some("globalAdmin"),
            Self::None => None,
            Self::Regular => Some("globalReadWrite"),
            Self::Unprivileged => Some("globalReadOnly"),
        }
    }
}

/// The built-in groups of every account, with their roles.
pub(crate) static BUILT_IN: LazyLock<[(GroupName, Role); 3]> = LazyLock::new(|| {
    [
        ("ADMIN", Role::Admin),
        (Group::DEFAULT, Role::Regular),
        (Group::UNPRIVILEGED, Role::Unprivileged),
    ]
    .map(|(name, role)| (GroupName::new(name), role))
});

/// The document of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupDocument {
    pub(crate) name: GroupName,
    pub(crate) description: Option<String>,
    pub(crate) role: Role,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Instant,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, unique in the account.
    pub name: GroupName,
    /// The description of its purpose.
    pub description: Option<String>,
    /// The role of its members.
    pub role: Role,
    /// True if every account has the group.
    pub built_in: bool,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last update.
    pub updated_at: Instant,
    /// The URN by which policies name it.
    pub urn: String,
    /// The tag of what is shown of it.
    pub tag: EntityTag,
}

impl Group {
    /// The name of the built-in group of users who may do everything but manage users.
    pub const DEFAULT: &str = "DEFAULT";
    /// The name of the built-in group of users who may only read, and of those for whom no group is
    /// named.
    pub const UNPRIVILEGED: &str = "UNPRIVILEGED";
}

/// The input that creates or replaces a group.
#[derive(Debug, Clone, Default)]
pub struct GroupInput {
    /// The name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The description, at most 255 characters; absent from an update, it stays unchanged.
    pub description: Option<String>,
    /// The role; absent, it is none for a new group, and stays unchanged in an update.
    pub role: Option<Role>,
}

/// Parses the name of a new group.
pub(crate) fn check_group_name(name: &str) -> Result<GroupName, IamError> {
    check_principal_name("name", name)?;
    Ok(GroupName::new(name))
}

/// Returns the identifier of the policy that implements a group's role.
pub(crate) fn role_policy_id(group: &Identity) -> PolicyId {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, group.urn().as_bytes()).into()
}

/// Builds the policy that implements a group's role: the permissions of the role on every resource.
pub(crate) fn role_policy(
    region: Region,
    group: &Identity,
    role: Role,
    is_managed: &dyn Fn(&str) -> bool,
) -> Option<Rule> {
    let name = role.permissions_group()?;
    let mut rule = Rule {
        id: role_policy_id(group),
        identities: vec![group.urn().to_owned()],
        resources: vec![ResourcePattern::everything(region)],
        ..Rule::default()
    };
    if is_managed(name) {
        rule.permissions_groups.push(permissions_group_urn(region, &MANAGED_OWNER, name));
    } else if role == Role::Admin {
        rule.permissions = Permissions { allow: vec!["*".to_owned()], ..Permissions::default() };
    } else {
        // Without the built-in products there is no permissions group that defines the role.
        return None;
    }
    Some(rule)
}

pub(crate) fn is_built_in(name: &GroupName) -> bool {
    BUILT_IN.iter().any(|(known, _)| known == name)
}

/// Builds the fact that tells replicas the role of a group, which is a policy.
pub(crate) fn role_fact(
    region: Region,
    account: &AccountName,
    name: &GroupName,
    role: Role,
    is_managed: &dyn Fn(&str) -> bool,
) -> Fact {
    let group = Identity::group(region, account, name);
    let rule = role_policy(region, &group, role, is_managed);
    Fact::Policy { id: role_policy_id(&group), rule: rule.map(Box::new) }
}

impl Document for GroupDocument {
    const KIND: Kind = Kind::Group;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(self.name.to_string())
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let role = after.map(Self::read).transpose()?.map_or(Role::None, |group| group.role);
        let name = group_of_key(place.id)?;
        Ok(vec![role_fact(place.region, place.account, &name, role, is_managed)])
    }
}
