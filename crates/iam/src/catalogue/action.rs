//! Actions, and the permissions groups that belong to the server.

use std::sync::Arc;

use gatewright_policy::{
    CompiledPermissions, Instant, Permissions, PermissionsGroupId, action_type,
};

use crate::model::rights::Category;

/// An action that a product knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name, `<resource type>:<namespace>:<path>`.
    pub name: String,
    /// What it does, for people.
    pub description: String,
    /// What kind of thing it does.
    pub categories: Vec<Category>,
    /// Whether `?` and parameters may follow its name.
    pub has_query_parameters: bool,
}

impl Action {
    /// The type of the resources that it works on.
    pub fn resource_type(&self) -> &str {
        action_type(&self.name)
    }
}

/// A permissions group that belongs to the server.
#[derive(Debug, Clone)]
pub struct ManagedGroup {
    /// Its identifier.
    pub id: PermissionsGroupId,
    /// The last part of its URN.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What it permits.
    pub permissions: Permissions,
    /// The same, ready to decide by.
    pub(crate) compiled: Arc<CompiledPermissions>,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed, if it was.
    pub updated_at: Option<Instant>,
}
