//! Permissions and permissions groups.

use gatewright_iam::{Permissions as Lists, PermissionsGroupInput};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::nullable;
use crate::body_schema::accepted;
use crate::schema::described_as;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = iam::policy::Action)]
pub(crate) struct ActionEntry {
    action: String,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = iam::policy::Permissions)]
pub(crate) struct Permissions {
    #[serde(default, deserialize_with = "nullable")]
    allow: Vec<ActionEntry>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    deny: Vec<ActionEntry>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    except: Vec<ActionEntry>,
}

impl From<&Lists> for Permissions {
    fn from(lists: &Lists) -> Self {
        let entries = |list: &Vec<String>| {
            list.iter().map(|action| ActionEntry { action: action.clone() }).collect()
        };
        Self {
            allow: entries(&lists.allow),
            deny: entries(&lists.deny),
            except: entries(&lists.except),
        }
    }
}

impl From<Permissions> for Lists {
    fn from(permissions: Permissions) -> Self {
        let texts = |list: Vec<ActionEntry>| list.into_iter().map(|entry| entry.action).collect();
        Self {
            allow: texts(permissions.allow),
            except: texts(permissions.except),
            deny: texts(permissions.deny),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::PermissionsGroup)]
pub(crate) struct PermissionsGroup {
    #[schema(read_only, required = false, value_type = String)]
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    description: String,
    #[schema(read_only, required = false)]
    id: Uuid,
    name: String,
    #[schema(read_only, required = false)]
    owner: String,
    permissions: Permissions,
    #[schema(read_only)]
    updated_at: Option<String>,
    #[schema(read_only, required = false)]
    urn: String,
}

impl From<gatewright_iam::PermissionsGroup> for PermissionsGroup {
    fn from(group: gatewright_iam::PermissionsGroup) -> Self {
        Self {
            created_at: group.created_at.map(|at| at.to_string()),
            description: group.description,
            id: group.id.into(),
            name: group.name,
            owner: group.owner.to_string(),
            permissions: (&group.permissions).into(),
            updated_at: group.updated_at.map(|at| at.to_string()),
            urn: group.urn,
        }
    }
}

/// The fields that are read of a [`PermissionsGroup`] that a client sends.
#[derive(Debug, Deserialize)]
pub(crate) struct PermissionsGroupBody {
    description: String,
    name: String,
    #[serde(deserialize_with = "nullable")]
    permissions: Permissions,
}

described_as!(PermissionsGroupBody, PermissionsGroup);

accepted! {
    PermissionsGroupBody as PermissionsGroup;
}

impl From<PermissionsGroupBody> for PermissionsGroupInput {
    fn from(body: PermissionsGroupBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            permissions: body.permissions.into(),
        }
    }
}
