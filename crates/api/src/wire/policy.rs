//! Policies.

use std::collections::BTreeMap;

use gatewright_iam::{AccountName, Condition, PermissionsGroup, PolicyInput, PolicyTarget};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::nullable;
use super::permissions::Permissions;
use crate::body_schema::accepted;

/// A condition: the operators AND, OR and NOT combine nested conditions, MATCH compares values.
#[derive(ToSchema)]
#[schema(as = iam::policy::Condition)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ConditionSchema {
    #[schema(no_recursion)]
    conditions: Option<Vec<ConditionSchema>>,
    operator: ConditionOperator,
    values: Option<BTreeMap<String, String>>,
}

#[derive(ToSchema)]
#[schema(as = iam::policy::Condition::OperatorEnum, rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only described")]
pub(crate) enum ConditionOperator {
    And,
    Match,
    Not,
    Or,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::policy::ResourceReference)]
pub(crate) struct ResourceReference {
    urn: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::policy::PermissionsGroupReference)]
pub(crate) struct GroupReference {
    urn: String,
}

/// A policy to create, or to replace another with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::policy::Creation)]
pub(crate) struct PolicyBody {
    #[serde(default)]
    #[schema(value_type = Option<ConditionSchema>)]
    conditions: Option<Condition>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    expired_at: Option<String>,
    #[serde(deserialize_with = "nullable")]
    identities: Vec<String>,
    name: String,
    #[serde(deserialize_with = "nullable")]
    permissions: Permissions,
    #[serde(default, deserialize_with = "nullable")]
    permissions_groups: Vec<GroupReference>,
    #[serde(deserialize_with = "nullable")]
    resources: Vec<ResourceReference>,
}

accepted! {
    PolicyBody as Policy;
}

impl From<PolicyBody> for PolicyInput {
    fn from(body: PolicyBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            identities: body.identities,
            resources: body.resources.into_iter().map(|one| one.urn).collect(),
            permissions: body.permissions.into(),
            permissions_groups: body.permissions_groups.into_iter().map(|one| one.urn).collect(),
            conditions: body.conditions,
            expired_at: body.expired_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::policy::SingleResource)]
pub(crate) struct SingleResource {
    display_name: String,
    id: Uuid,
    name: String,
    owner: String,
    tags: Option<BTreeMap<String, String>>,
    r#type: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::policy::Group)]
pub(crate) struct Group {
    id: Uuid,
    name: String,
    read_only: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = iam::policy::Resource)]
pub(crate) struct PolicyResource {
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<SingleResource>,
    urn: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = iam::policy::PermissionsGroup)]
pub(crate) struct PolicyGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
    urn: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::policy::Response)]
pub(crate) struct Policy {
    #[schema(value_type = Option<ConditionSchema>)]
    conditions: Option<Condition>,
    created_at: String,
    description: Option<String>,
    expired_at: Option<String>,
    id: Uuid,
    identities: Vec<String>,
    name: String,
    owner: String,
    permissions: Permissions,
    permissions_groups: Vec<PolicyGroup>,
    read_only: bool,
    resources: Vec<PolicyResource>,
    updated_at: Option<String>,
}

impl Policy {
    /// Converts a policy, without the details of its URNs.
    pub(crate) fn of(owner: &AccountName, policy: &gatewright_iam::Policy) -> Self {
        let rule = &policy.rule;
        let group = |urn: &String| PolicyGroup {
            name: None,
            owner: None,
            permissions: None,
            urn: urn.clone(),
        };
        let resource =
            |urn: &String| PolicyResource { group: None, resource: None, urn: urn.clone() };
        Self {
            conditions: rule.conditions.clone(),
            created_at: policy.created_at.to_string(),
            description: policy.description.clone(),
            expired_at: policy.expired_at.clone(),
            id: rule.id.into(),
            identities: rule.identities.clone(),
            name: policy.name.clone(),
            owner: owner.to_string(),
            permissions: (&rule.permissions).into(),
            permissions_groups: rule.permissions_groups.iter().map(group).collect(),
            read_only: policy.read_only,
            resources: rule.resources.iter().map(resource).collect(),
            updated_at: policy.updated_at.map(|at| at.to_string()),
        }
    }

    /// Adds the details of the policy's URNs, in order.
    pub(crate) fn detailed(
        mut self,
        targets: Vec<PolicyTarget>,
        groups: Vec<Option<PermissionsGroup>>,
    ) -> Self {
        for (entry, target) in self.resources.iter_mut().zip(targets) {
            match target {
                PolicyTarget::Resource(resource) => {
                    entry.resource = Some(SingleResource {
                        display_name: resource.display_name,
                        id: resource.id.into(),
                        name: resource.urn.name().to_owned(),
                        owner: resource.owner.to_string(),
                        tags: Some(resource.tags),
                        r#type: resource.urn.resource_type().to_owned(),
                    });
                }
                PolicyTarget::Group { id, name, read_only } => {
                    entry.group = Some(Group { id: id.into(), name, read_only });
                }
                PolicyTarget::Other => {}
            }
        }
        for (entry, group) in self.permissions_groups.iter_mut().zip(groups) {
            if let Some(group) = group {
                entry.permissions = Some((&group.permissions).into());
                entry.name = Some(group.name);
                entry.owner = Some(group.owner.to_string());
            }
        }
        self
    }
}
