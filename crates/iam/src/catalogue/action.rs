//! Actions and managed permissions groups.

use std::sync::Arc;

use gatewright_policy::{
    CompiledPermissions, Instant, Permissions, PermissionsGroupId, action_type,
};

use crate::model::rights::Category;

/// An action of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The name, `<resource type>:<namespace>:<path>`.
    pub name: Arc<str>,
    /// The description for people.
    pub description: String,
    /// The categories, such as read or write.
    pub categories: Vec<Category>,
    /// `true` if `?` and query parameters may follow the name.
    pub has_query_parameters: bool,
}

impl Action {
    /// Returns the type of the resources that the action applies to.
    pub fn resource_type(&self) -> &str {
        action_type(&self.name)
    }

    /// Returns whether another declaration of the action says all that this one does, but for the
    /// description.
    pub(crate) fn adds_nothing_to(&self, other: &Self) -> bool {
        let categories = &other.categories;
        self.categories.iter().all(|category| categories.contains(category))
            && (other.has_query_parameters || !self.has_query_parameters)
    }
}

/// A managed permissions group: one that belongs to the server, for all accounts.
#[derive(Debug, Clone)]
pub struct ManagedGroup {
    /// The identifier.
    pub id: PermissionsGroupId,
    /// The last part of the URN.
    pub name: String,
    /// The description for people.
    pub description: String,
    /// The permissions, as they are displayed.
    pub permissions: Permissions,
    /// The permissions, compiled for decisions.
    pub(crate) compiled: Arc<CompiledPermissions>,
    /// The time of creation; none if the product does not say.
    pub created_at: Option<Instant>,
    /// The time of the last change; none if there was none.
    pub updated_at: Option<Instant>,
}
