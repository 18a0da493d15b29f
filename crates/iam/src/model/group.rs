//! Groups of users, and the role that each gives: their documents, inputs and rules.

use gatewright_policy::{
    Fact, Identity, Instant, Permissions, Policy as Rule, PolicyId, Region, permissions_group_urn,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::document::{Document, Place};
use crate::model::error::IamError;
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::principal_key::name_of_key;

/// What the members of a group may do, whatever policies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Everything.
    Admin,
    /// Nothing.
    #[default]
    None,
    /// Everything but managing users.
    Regular,
    /// Reading.
    Unprivileged,
}

impl Role {
    /// The managed permissions group of the same strength.
    const fn permissions_group(self) -> Option<&'static str> {
        match self {
            Self::Admin => Some("globalAdmin"),
            Self::None => None,
            Self::Regular => Some("globalReadWrite"),
            Self::Unprivileged => Some("globalReadOnly"),
        }
    }
}

/// The groups that every account has.
pub(crate) const BUILT_IN: [(&str, Role); 3] =
    [("ADMIN", Role::Admin), (DEFAULT, Role::Regular), ("UNPRIVILEGED", Role::Unprivileged)];

/// The group of users for whom none is named.
pub(crate) const DEFAULT: &str = "DEFAULT";

/// What is remembered of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupDocument {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role: Role,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Instant,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Unique in the account.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its members may do, whatever policies say.
    pub role: Role,
    /// Whether every account has it.
    pub built_in: bool,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed, if it was.
    pub updated_at: Instant,
    /// The URN that policies name it by.
    pub urn: String,
}

/// A group to be made, or what one shall be from now on.
#[derive(Debug, Clone, Default)]
pub struct GroupInput {
    /// Letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// At most 255 characters; what is left out of a change stays.
    pub description: Option<String>,
    /// What its members may do; none, or as before, when it is left out.
    pub role: Option<Role>,
}

/// The identifier of the policy that carries a group's role out.
pub(crate) fn role_policy_id(group: &Identity) -> PolicyId {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, group.urn().as_bytes()).into()
}

/// The policy that carries a group's role out: the permissions of that strength on everything.
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
        resources: vec![format!("urn:v1:{region}:resource:*")],
        ..Rule::default()
    };
    if is_managed(name) {
        rule.permissions_groups.push(permissions_group_urn(region, MANAGED_OWNER, name));
    } else if role == Role::Admin {
        rule.permissions = Permissions { allow: vec!["*".to_owned()], ..Permissions::default() };
    } else {
        // Without the products that it is about, nothing says what the role may do.
        return None;
    }
    Some(rule)
}

pub(crate) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// Tells a replica the role of a group, which is a policy.
pub(crate) fn role_fact(
    region: Region,
    account: &str,
    name: &str,
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
        Some(self.name.clone())
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let role = after.map(Self::read).transpose()?.map_or(Role::None, |group| group.role);
        Ok(vec![role_fact(place.region, place.account, name_of_key(place.id)?, role, is_managed)])
    }
}
