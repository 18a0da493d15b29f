//! Resources, their tags, and resource groups.

use std::collections::BTreeMap;

use gatewright_iam::{
    AccountName, Fault, IamError, Input, Member, Region, ResourceGroupInput, ResourceUrn,
    TagOperator, resource_group_urn, resource_id,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::nullable;
use crate::body_schema::accepted;
use crate::schema::described_as;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::resource::Resource)]
pub(crate) struct Resource {
    display_name: String,
    id: Uuid,
    name: String,
    owner: String,
    tags: Option<BTreeMap<String, String>>,
    r#type: String,
    urn: String,
}

impl From<gatewright_iam::Resource> for Resource {
    fn from(resource: gatewright_iam::Resource) -> Self {
        Self {
            display_name: resource.display_name,
            id: resource.id.into(),
            name: resource.urn.name().to_owned(),
            owner: resource.owner.to_string(),
            tags: Some(resource.tags),
            r#type: resource.urn.resource_type().to_owned(),
            urn: resource.urn.urn().to_owned(),
        }
    }
}

/// The editable fields of a resource; clients send whole objects back.
#[derive(Debug, Deserialize)]
pub(crate) struct ResourceEdit {
    #[serde(default)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

described_as!(ResourceEdit, Resource);

/// A resource to register, identified by `urn` or by `type` and `name`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::resource::Creation)]
pub(crate) struct NewResource {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    urn: Option<String>,
}

impl NewResource {
    pub(crate) fn read(self, region: Region) -> Input<gatewright_iam::NewResource> {
        let urn = match (self.urn, self.r#type, self.name) {
            (Some(urn), None, None) => urn,
            (None, Some(resource_type), Some(name)) => {
                format!("{}{resource_type}:{name}", ResourceUrn::prefix(region))
            }
            _ => {
                let message = "give either \"urn\", or \"type\" and \"name\"";
                return Err(IamError::invalid(Fault::Missing, message));
            }
        };
        Ok(gatewright_iam::NewResource {
            urn,
            display_name: self.display_name,
            owner: self.owner.map(AccountName::new),
            tags: self.tags,
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::resource::AddTag)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

accepted! {
    NewResource as Resource;
    ResourceEdit as Resource;
    NewResourceGroup as ResourceGroup;
    ResourceGroupBody as ResourceGroup;
    Tag as Tag;
}

/// A condition on a tag, in the query of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct TagFilter {
    #[serde(default)]
    operator: Option<TagFilterOperator>,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TagFilterOperator {
    Eq,
    Neq,
    Like,
    Ilike,
    Exists,
    Nexists,
}

impl From<TagFilter> for gatewright_iam::TagFilter {
    fn from(filter: TagFilter) -> Self {
        let operator = match filter.operator.unwrap_or(TagFilterOperator::Eq) {
            TagFilterOperator::Eq => TagOperator::Eq,
            TagFilterOperator::Neq => TagOperator::Neq,
            TagFilterOperator::Like => TagOperator::Like,
            TagFilterOperator::Ilike => TagOperator::ILike,
            TagFilterOperator::Exists => TagOperator::Exists,
            TagFilterOperator::Nexists => TagOperator::NotExists,
        };
        Self { operator, value: filter.value }
    }
}

/// A reference to a resource, by identifier or by URN; the URN takes precedence.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::group::ResourceReference)]
pub(crate) struct MemberReference {
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    urn: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::group::Creation)]
pub(crate) struct NewResourceGroup {
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<MemberReference>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::group::Update)]
pub(crate) struct ResourceGroupBody {
    name: String,
    #[serde(deserialize_with = "nullable")]
    resources: Vec<MemberReference>,
}

fn members(references: Vec<MemberReference>) -> Input<Vec<Member>> {
    let member = |(index, one): (usize, MemberReference)| match (one.urn, one.id) {
        // Clients send both back; the URN takes precedence.
        (Some(urn), _) => Ok(Member::Urn(urn)),
        (None, Some(id)) => Ok(Member::Id(id.into())),
        (None, None) => {
            let message = format!("\"resources[{index}]\" needs an \"id\" or a \"urn\"");
            Err(IamError::invalid(Fault::Missing, message))
        }
    };
    references.into_iter().enumerate().map(member).collect()
}

impl TryFrom<NewResourceGroup> for ResourceGroupInput {
    type Error = IamError;

    fn try_from(new: NewResourceGroup) -> Input<Self> {
        Ok(Self { name: new.name, resources: members(new.resources)? })
    }
}

impl TryFrom<ResourceGroupBody> for ResourceGroupInput {
    type Error = IamError;

    fn try_from(body: ResourceGroupBody) -> Input<Self> {
        Ok(Self { name: body.name, resources: members(body.resources)? })
    }
}

/// A resource of a group. Without details it has `id` only.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::group::Resource)]
pub(crate) struct GroupMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    urn: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::group::Response)]
pub(crate) struct ResourceGroup {
    created_at: String,
    id: Uuid,
    name: String,
    owner: String,
    read_only: bool,
    resources: Vec<GroupMember>,
    updated_at: Option<String>,
    urn: String,
}

impl ResourceGroup {
    pub(crate) fn of(group: gatewright_iam::ResourceGroup, region: Region) -> Self {
        let member = |urn: &String| {
            let id = resource_id(urn).into();
            GroupMember { id, ..GroupMember::default() }
        };
        Self {
            created_at: group.created_at.to_string(),
            id: group.id.into(),
            name: group.name,
            owner: group.owner.to_string(),
            read_only: group.read_only,
            resources: group.resources.iter().map(member).collect(),
            updated_at: group.updated_at.map(|at| at.to_string()),
            urn: resource_group_urn(region, group.id),
        }
    }

    /// Adds the details of the group's resources, in order.
    pub(crate) fn detailed(
        mut self,
        resources: Vec<(ResourceUrn, Option<gatewright_iam::Resource>)>,
    ) -> Self {
        for (entry, (urn, known)) in self.resources.iter_mut().zip(resources) {
            entry.name = Some(urn.name().to_owned());
            entry.r#type = Some(urn.resource_type().to_owned());
            entry.urn = Some(urn.urn().to_owned());
            if let Some(known) = known {
                entry.display_name = Some(known.display_name);
                entry.owner = Some(known.owner.to_string());
                entry.tags = Some(known.tags);
            }
        }
        self
    }
}
