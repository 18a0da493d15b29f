//! Policies: their documents, inputs and rules.

use std::collections::BTreeSet;

use gatewright_policy::{
    AccountName, Condition, Fact, Identity, Instant, MAX_DEPTH, Permissions, Policy as Rule,
    PolicyError, PolicyId, Region, ResourceGroupId,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::input::{check_list, check_name, check_seen, check_text, check_visible};
use crate::model::limits::Limits;
use crate::model::precondition::EntityTag;
use crate::model::resource::Resource;

/// The prefix of names that are reserved for the server, in any case.
pub(crate) const RESERVED: &str = "ovh-";

/// Returns whether a name begins with the reserved prefix.
fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESERVED))
}

/// The document of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The name, unique in the account.
    pub name: String,
    /// The description of its purpose.
    pub description: Option<String>,
    /// True if it is managed by the server.
    pub read_only: bool,
    /// The expiry time, as it was sent.
    pub expired_at: Option<String>,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last update, if there was one.
    pub updated_at: Option<Instant>,
    /// The rule: identities, resources, permissions and conditions.
    pub rule: Rule,
}

/// The input that creates or replaces a policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyInput {
    /// The name, unique in the account.
    pub name: String,
    /// The description, at most 1024 characters.
    pub description: Option<String>,
    /// URNs of identities.
    pub identities: Vec<String>,
    /// URNs and patterns of resources and resource groups.
    pub resources: Vec<String>,
    /// Its own permissions.
    pub permissions: Permissions,
    /// URNs of permissions groups.
    pub permissions_groups: Vec<String>,
    /// The conditions under which it applies.
    pub conditions: Option<Condition>,
    /// The expiry time in RFC 3339; a past one is accepted.
    pub expired_at: Option<String>,
}

/// A filter of policies. Within one filter any value may match; all filters must match.
#[derive(Debug, Clone, Default)]
pub struct PolicyFilter {
    /// Actions of which an `allow` of the policy, or of a group of it, covers one.
    pub actions: Vec<String>,
    /// Identities of which the policy names one.
    pub identities: Vec<String>,
    /// Resources of which the policy covers one.
    pub resources: Vec<String>,
    /// True for policies that the server manages only, false for the others only.
    pub read_only: Option<bool>,
}

/// The attachment of a policy to an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// The policy names it.
    Attached,
    /// The policy does not name it.
    Detached,
}

/// The target of a URN among a policy's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyTarget {
    /// A registered resource.
    Resource(Resource),
    /// A resource group.
    Group {
        /// The identifier of the group.
        id: ResourceGroupId,
        /// The display name of the group.
        name: String,
        /// True if it is managed by the server.
        read_only: bool,
    },
    /// A pattern, or a resource or group that does not exist.
    Other,
}

impl PolicyInput {
    pub(crate) fn check(
        self,
        id: PolicyId,
        region: Region,
        limits: &Limits,
    ) -> Result<Policy, IamError> {
        check_name("name", &self.name)?;
        if is_reserved(&self.name) {
            let message = format!("\"name\" must not begin with {RESERVED}, which is reserved");
            return Err(IamError::invalid(Fault::Format, message));
        }
        self.check_characters()?;
        if let Some(description) = &self.description {
            check_text("description", description, 0, 1024)?;
        }
        let (name, description) = (self.name.clone(), self.description.clone());
        let expired_at = self.expired_at.clone();
        self.check_lengths(limits)?;
        Ok(Policy {
            name,
            description,
            read_only: false,
            expired_at,
            created_at: Instant::EPOCH,
            updated_at: None,
            rule: self.rule(id, region, limits)?,
        })
    }

    /// Refuses characters that nobody sees. Policies that were written before keep theirs, so this
    /// is no part of their compilation.
    fn check_characters(&self) -> Result<(), IamError> {
        for (index, urn) in self.identities.iter().enumerate() {
            check_visible(&format!("identities[{index}]"), urn)?;
        }
        for (list, urns) in
            [("resources", &self.resources), ("permissionsGroups", &self.permissions_groups)]
        {
            for (index, urn) in urns.iter().enumerate() {
                check_visible(&format!("{list}[{index}].urn"), urn)?;
            }
        }
        check_actions(&self.permissions)?;
        self.conditions.as_ref().map_or(Ok(()), |one| check_condition(one, 1))
    }

    /// Checks the lengths of its texts, before anything is made of them.
    fn check_lengths(&self, limits: &Limits) -> Result<(), IamError> {
        limits.check_policy(
            [&self.identities, &self.resources, &self.permissions_groups],
            &self.permissions,
            self.conditions.as_ref(),
        )
    }

    /// Validates the input; returns its rule.
    pub(crate) fn rule(
        mut self,
        id: PolicyId,
        region: Region,
        limits: &Limits,
    ) -> Result<Rule, IamError> {
        let most = limits.entries;
        check_list("identities", &mut self.identities, most)?;
        check_list("resources", &mut self.resources, most)?;
        check_list("permissionsGroups", &mut self.permissions_groups, most)?;
        check_permissions(&mut self.permissions, most)?;
        let expires = match self.expired_at.as_deref() {
            None => None,
            Some(text) => Some(Instant::parse(text).ok_or_else(|| {
                let message = "\"expiredAt\" must be a date and time like 2026-12-31T23:59:59Z";
                IamError::invalid(Fault::Format, message)
            })?),
        };
        let rule = Rule {
            id,
            identities: self.identities,
            resources: self.resources,
            permissions: self.permissions,
            permissions_groups: self.permissions_groups,
            conditions: self.conditions,
            expires,
        };
        rule.compile(region).map_err(|error| refusal(&error))?;
        Ok(rule)
    }
}

impl Policy {
    /// Returns the tag of the policy.
    pub fn tag(&self) -> Result<EntityTag, IamError> {
        EntityTag::of(Self::KIND, self)
    }
}

impl From<Policy> for PolicyInput {
    fn from(policy: Policy) -> Self {
        Self {
            name: policy.name,
            description: policy.description,
            identities: policy.rule.identities,
            resources: policy.rule.resources,
            permissions: policy.rule.permissions,
            permissions_groups: policy.rule.permissions_groups,
            conditions: policy.rule.conditions,
            expired_at: policy.expired_at,
        }
    }
}

/// Removes duplicate actions, keeping the first, and refuses lists that are too long.
pub(crate) fn check_permissions(
    permissions: &mut Permissions,
    most: usize,
) -> Result<(), IamError> {
    check_list("permissions.allow", &mut permissions.allow, most)?;
    check_list("permissions.except", &mut permissions.except, most)?;
    check_list("permissions.deny", &mut permissions.deny, most)
}

/// Refuses characters that nobody sees in patterns of actions.
pub(crate) fn check_actions(permissions: &Permissions) -> Result<(), IamError> {
    let Permissions { allow, except, deny } = permissions;
    for (list, actions) in [("allow", allow), ("except", except), ("deny", deny)] {
        for (index, action) in actions.iter().enumerate() {
            check_visible(&format!("permissions.{list}[{index}]"), action)?;
        }
    }
    Ok(())
}

/// Refuses characters that nobody sees in a condition. Spaces may stand in lists of values.
fn check_condition(condition: &Condition, depth: usize) -> Result<(), IamError> {
    // Deeper trees are refused when they are compiled.
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for (key, value) in condition.values.iter().flatten() {
        check_seen("conditions", key)?;
        check_seen("conditions", value)?;
    }
    let inner = condition.conditions.iter().flatten();
    inner.into_iter().try_for_each(|one| check_condition(one, depth + 1))
}

pub(crate) fn refusal(error: &PolicyError) -> IamError {
    let fault = match error {
        PolicyError::Resource { .. } | PolicyError::PermissionsGroup { .. } => Fault::ResourceUrn,
        _ => Fault::Format,
    };
    IamError::invalid(fault, error.to_string())
}

impl Document for Policy {
    const KIND: Kind = Kind::Policy;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(self.name.clone())
    }

    fn mentions(&self, place: Place<'_>) -> Vec<AccountName> {
        let named = self.rule.identities.iter();
        let named = named.filter_map(|urn| Identity::parse(urn, place.region).ok());
        let accounts = named.map(|one| one.account().clone());
        let others: BTreeSet<AccountName> = accounts.filter(|one| one != place.account).collect();
        others.into_iter().collect()
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let id = place.id.parse().map_err(IamError::internal)?;
        let after = after.map(Self::read).transpose()?;
        Ok(vec![Fact::Policy { id, rule: after.map(|policy| Box::new(policy.rule)) }])
    }
}
