//! Policies, as written and as compiled.

use serde::{Deserialize, Serialize};

use crate::condition::{CompiledCondition, Condition, ConditionError};
use crate::id::{PolicyId, ResourceGroupId};
use crate::identity::Identity;
use crate::instant::Instant;
use crate::pattern::Pattern;
use crate::patterns::Patterns;
use crate::permissions::{CompiledPermissions, Permissions, PermissionsError};
use crate::resource_urn::ResourcePattern;
use crate::urn::{Region, UrnError, canonical_permissions_group};

/// A policy as written: identities, resources, permissions, conditions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// The identifier of the policy.
    pub id: PolicyId,
    /// URNs of identities; an empty list names nobody.
    #[serde(default)]
    pub identities: Vec<String>,
    /// URNs and patterns of resources and resource groups; an empty list covers nothing.
    #[serde(default)]
    pub resources: Vec<String>,
    /// The permissions of the policy itself.
    #[serde(default)]
    pub permissions: Permissions,
    /// URNs of permissions groups, each evaluated by itself.
    #[serde(default)]
    pub permissions_groups: Vec<String>,
    /// The conditions under which the policy is in force; always, if there are none.
    #[serde(default)]
    pub conditions: Option<Condition>,
    /// The time at which the policy expires.
    #[serde(default)]
    pub expires: Option<Instant>,
}

/// The error of a part of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An identity.
    #[error(
        "identity \"identities[{index}]\" {reason}, expected \
         urn:v1:region:identity:(account|user|group|credential):account[/name]"
    )]
    Identity {
        /// The index in the list, from 0.
        index: usize,
        /// The error of the URN.
        reason: UrnError,
    },
    /// A resource.
    #[error(
        "urn \"resources[{index}].urn\" {reason}, expected \
         urn:v1:region:(resource|resourceGroup):(*|group_id|resource_type):(*|resource_name)"
    )]
    Resource {
        /// The index in the list, from 0.
        index: usize,
        /// The error of the URN.
        reason: UrnError,
    },
    /// A permissions group.
    #[error(
        "urn \"permissionsGroups[{index}].urn\" {reason}, expected \
         urn:v1:region:permissionsGroup:owner:name"
    )]
    PermissionsGroup {
        /// The index in the list, from 0.
        index: usize,
        /// The error of the URN.
        reason: UrnError,
    },
    /// An action.
    #[error(transparent)]
    Permissions(#[from] PermissionsError),
    /// The conditions.
    #[error(transparent)]
    Condition(#[from] ConditionError),
}

/// The maximum length of a URN that is decided on, in bytes, which costs are computed for.
pub const LONGEST_URN: usize = 1_024;

/// The cost of the look-up of a group.
pub(crate) const GROUP_COST: u32 = 8;

/// The cost of finding a policy.
const FOUND_COST: u32 = 4;

/// The resources that a policy covers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cover {
    /// The patterns of resource URNs.
    named: Patterns<64>,
    pub(crate) any_group: bool,
    pub(crate) groups: Box<[ResourceGroupId]>,
}

impl Cover {
    fn compile(texts: &[String], region: Region) -> Result<Self, PolicyError> {
        let (mut any_group, mut named, mut groups) = (false, Vec::new(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            match ResourcePattern::parse(text, region) {
                Ok(ResourcePattern::Everything) => named.push(Pattern::Any),
                Ok(ResourcePattern::AnyGroup) => any_group = true,
                Ok(ResourcePattern::One(urn)) => named.push(Pattern::Exact(urn)),
                Ok(ResourcePattern::Prefix(head)) => named.push(Pattern::Prefix(head)),
                Ok(ResourcePattern::Group(id)) => groups.push(id),
                Err(reason) => return Err(PolicyError::Resource { index, reason }),
            }
        }
        let named = named.into_iter().map(|pattern| (pattern, 1)).collect();
        Ok(Self { named, any_group, groups: groups.into() })
    }

    /// Returns whether resource groups are covered.
    pub(crate) fn has_groups(&self) -> bool {
        self.any_group || !self.groups.is_empty()
    }

    /// Returns the memory that it takes beside the value itself, in bytes.
    fn memory(&self) -> usize {
        self.named.memory() + size_of_val(&*self.groups)
    }

    /// Returns the cost of matching a URN, in the worst case.
    fn cost(&self) -> u32 {
        let groups = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let groups = groups.saturating_add(self.any_group.into()).saturating_mul(GROUP_COST);
        self.named.cost(LONGEST_URN).saturating_add(groups)
    }

    /// Returns whether the resource is covered by its URN; resource groups are not considered.
    pub(crate) fn names(&self, urn: &str) -> bool {
        self.named.marks(urn) != 0
    }
}

/// A compiled policy, which decisions evaluate.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    pub(crate) id: PolicyId,
    pub(crate) expires: Option<Instant>,
    pub(crate) identities: Box<[Box<str>]>,
    pub(crate) cover: Cover,
    pub(crate) permissions: CompiledPermissions,
    pub(crate) permissions_groups: Box<[Box<str>]>,
    pub(crate) condition: Option<Box<CompiledCondition>>,
    cost: u32,
    memory: usize,
}

impl CompiledPolicy {
    /// Returns the identifier.
    pub fn id(&self) -> PolicyId {
        self.id
    }

    /// Returns the cost of evaluating the policy for one request in the worst case, without its
    /// permissions groups. One is about ten nanoseconds.
    pub(crate) fn cost(&self) -> u32 {
        self.cost
    }

    /// Returns about the memory that the policy takes, in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Returns the canonical URNs of the policy's identities.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.identities.iter().map(|urn| &**urn)
    }

    /// Returns whether it names a permissions group, given by its canonical URN.
    pub fn names_permissions_group(&self, urn: &str) -> bool {
        self.permissions_groups.iter().any(|named| **named == *urn)
    }

    /// Returns the time at which the policy expires.
    pub fn expires(&self) -> Option<Instant> {
        self.expires
    }
}

impl Policy {
    /// Compiles the policy. Malformed ones are refused, so that decisions cannot fail.
    pub fn compile(&self, region: Region) -> Result<CompiledPolicy, PolicyError> {
        let mut identities = Vec::with_capacity(self.identities.len());
        for (index, text) in self.identities.iter().enumerate() {
            let identity = Identity::parse(text, region)
                .map_err(|reason| PolicyError::Identity { index, reason })?;
            identities.push(Box::from(identity.urn()));
        }
        identities.sort_unstable();
        identities.dedup();
        let mut permissions_groups = Vec::with_capacity(self.permissions_groups.len());
        for (index, text) in self.permissions_groups.iter().enumerate() {
            permissions_groups.push(
                canonical_permissions_group(text, region)
                    .map_err(|reason| PolicyError::PermissionsGroup { index, reason })?,
            );
        }
        let cover = Cover::compile(&self.resources, region)?;
        let permissions = self.permissions.compile()?;
        let condition = self.conditions.as_ref().map(Condition::compile).transpose()?;
        let condition_cost = condition.as_ref().map_or(0, CompiledCondition::cost);
        let costs = [FOUND_COST, cover.cost(), permissions.cost(), condition_cost];
        let texts = identities.iter().chain(&permissions_groups);
        let texts: usize = texts.map(|text| size_of::<Box<str>>() + text.len()).sum();
        let conditions = self.conditions.as_ref().map_or(0, Condition::text_bytes);
        let patterns = cover.memory() + permissions.memory();
        Ok(CompiledPolicy {
            id: self.id,
            expires: self.expires,
            identities: identities.into(),
            cover,
            permissions,
            permissions_groups: permissions_groups.into(),
            condition: condition.map(Box::new),
            cost: costs.into_iter().fold(0, u32::saturating_add),
            // A compiled condition takes up to twice as much as its text.
            memory: size_of::<CompiledPolicy>() + texts + patterns + 2 * conditions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let policy: Policy = serde_json::from_str(json).unwrap();
        policy.compile(Region::Eu).unwrap_err().to_string()
    }

    const ID: &str = r#""id":"00000000-0000-0000-0000-000000000001""#;

    #[test]
    fn a_refusal_says_where_and_what_is_expected() {
        assert_eq!(
            refusal(&format!(r#"{{{ID},"resources":["*"]}}"#)),
            "urn \"resources[0].urn\" is malformed, expected \
             urn:v1:region:(resource|resourceGroup):(*|group_id|resource_type):(*|resource_name)"
        );
        assert_eq!(
            refusal(&format!(r#"{{{ID},"permissions":{{"except":["a:b:c","a:*:c"]}}}}"#)),
            "action \"except[1]\" may have a * only at its start or at its end"
        );
        let text = refusal(&format!(r#"{{{ID},"identities":["urn:v1:eu:identity:user:a/*"]}}"#));
        assert!(text.starts_with("identity \"identities[0]\" has a * where none is allowed"));
        let text = refusal(&format!(r#"{{{ID},"permissions_groups":["globalAdmin"]}}"#));
        assert!(text.starts_with("urn \"permissionsGroups[0].urn\" is malformed"));
    }

    #[test]
    fn unknown_actions_identities_and_resources_are_accepted() {
        let json = format!(
            r#"{{{ID},"identities":["urn:v1:eu:identity:user:zz9-ovh/nobody"],
            "resources":["urn:v1:eu:resource:teapot:none"],"permissions":{{"allow":["teapot:x:brew"]}}}}"#
        );
        let policy: Policy = serde_json::from_str(&json).unwrap();
        assert!(policy.compile(Region::Eu).is_ok());
    }
}
