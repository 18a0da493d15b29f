//! Actions that Gatewright's own API calls require, all on the account's resource or on a resource.
//!
//! A use case demands one of these; the OpenAPI document names the same constants.

use serde::{Deserialize, Serialize};

macro_rules! rights {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $category:ident;)*) => {
        $($(#[doc = $doc])* pub const $name: &str = concat!("account:apiovh:", $text);)*

        /// All of them, with their descriptions.
        pub const ALL: &[Right] = &[$(Right {
            action: $name,
            category: Category::$category,
            description: concat!($($doc),*),
        }),*];
    };
}

/// A right: an action that guards some of Gatewright's own operations.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    /// The name of the action.
    pub action: &'static str,
    /// The category of the action.
    pub category: Category,
    /// The description of the operations that it permits.
    pub description: &'static str,
}

rights! {
    /// Read the account's contact details.
    ME_GET = "me/get", Read;
    /// Change the account's contact details.
    ME_EDIT = "me/edit", Edit;
    /// Read service accounts.
    CLIENT_GET = "me/api/oauth2/client/get", Read;
    /// Create a service account.
    CLIENT_CREATE = "me/api/oauth2/client/create", Create;
    /// Change a service account.
    CLIENT_EDIT = "me/api/oauth2/client/edit", Edit;
    /// Delete a service account.
    CLIENT_DELETE = "me/api/oauth2/client/delete", Delete;
    /// Enable a service account.
    CLIENT_ENABLE = "me/api/oauth2/client/enable", Operate;
    /// Disable a service account.
    CLIENT_DISABLE = "me/api/oauth2/client/disable", Operate;
    /// Read users.
    USER_GET = "me/identity/user/get", Read;
    /// Create a user.
    USER_CREATE = "me/identity/user/create", Create;
    /// Change a user.
    USER_EDIT = "me/identity/user/edit", Edit;
    /// Delete a user.
    USER_DELETE = "me/identity/user/delete", Delete;
    /// Enable a user.
    USER_ENABLE = "me/identity/user/enable", Operate;
    /// Disable a user.
    USER_DISABLE = "me/identity/user/disable", Operate;
    /// Demand a second factor of the account's people, or demand it no longer.
    SECOND_FACTOR_EDIT = "me/identity/secondFactor/edit", Edit;
    /// Read personal access tokens of users.
    USER_TOKEN_GET = "me/identity/user/token/get", Read;
    /// Create a personal access token for a user.
    USER_TOKEN_CREATE = "me/identity/user/token/create", Create;
    /// Change a personal access token of a user.
    USER_TOKEN_EDIT = "me/identity/user/token/edit", Edit;
    /// Delete a personal access token of a user.
    USER_TOKEN_DELETE = "me/identity/user/token/delete", Delete;
    /// Read groups of users.
    GROUP_GET = "me/identity/group/get", Read;
    /// Create a group of users.
    GROUP_CREATE = "me/identity/group/create", Create;
    /// Change a group of users.
    GROUP_EDIT = "me/identity/group/edit", Edit;
    /// Delete a group of users.
    GROUP_DELETE = "me/identity/group/delete", Delete;
    /// Read the log of API calls.
    CALLS_GET = "me/api/logs/self/get", Read;
    /// Read the log of API calls that other accounts made on resources of the account.
    CALLS_ON_SERVICES_GET = "me/api/logs/services/get", Read;
    /// Read the audit log.
    AUDIT_GET = "me/logs/audit/get", Read;
    /// Read the log of decisions.
    DECISIONS_READ = "iam/log/url/create", Read;
    /// Request decisions about other identities.
    EVALUATE = "iam/authorization/evaluate", Read;
    /// Introspect tokens of other service accounts of the account; a registrar those of all accounts.
    TOKEN_INTROSPECT = "iam/token/introspect", Read;
    /// Assert properties of subjects, actions and resources in a request for a decision; they count as tags.
    SAY_PROPERTIES = "iam/authorization/evaluate/properties", Operate;
    /// Read guarded APIs of the account.
    API_GET = "iam/api/get", Read;
    /// Declare or replace a guarded API.
    API_EDIT = "iam/api/edit", Edit;
    /// Delete a guarded API.
    API_DELETE = "iam/api/delete", Delete;
    /// Replicate the policies of the account to a decision point.
    REPLICA_GET = "iam/replica/get", Read;
    /// Read policies.
    POLICY_GET = "iam/policy/get", Read;
    /// Create a policy.
    POLICY_CREATE = "iam/policy/create", Create;
    /// Change a policy.
    POLICY_EDIT = "iam/policy/edit", Edit;
    /// Delete a policy.
    POLICY_DELETE = "iam/policy/delete", Delete;
    /// Read permissions groups.
    PERMISSIONS_GROUP_GET = "iam/permissionsGroup/get", Read;
    /// Create a permissions group.
    PERMISSIONS_GROUP_CREATE = "iam/permissionsGroup/create", Create;
    /// Change a permissions group.
    PERMISSIONS_GROUP_EDIT = "iam/permissionsGroup/edit", Edit;
    /// Delete a permissions group.
    PERMISSIONS_GROUP_DELETE = "iam/permissionsGroup/delete", Delete;
    /// Read resource groups.
    RESOURCE_GROUP_GET = "iam/resourceGroup/get", Read;
    /// Create a resource group.
    RESOURCE_GROUP_CREATE = "iam/resourceGroup/create", Create;
    /// Change a resource group.
    RESOURCE_GROUP_EDIT = "iam/resourceGroup/edit", Edit;
    /// Delete a resource group.
    RESOURCE_GROUP_DELETE = "iam/resourceGroup/delete", Delete;
    /// Register a resource.
    RESOURCE_CREATE = "iam/resource/create", Create;
    /// Change a resource.
    RESOURCE_EDIT = "iam/resource/edit", Edit;
    /// Delete a resource.
    RESOURCE_DELETE = "iam/resource/delete", Delete;
    /// Add tags to resources.
    TAG_ADD = "iam/resource/tag/add", Edit;
    /// Remove tags from resources.
    TAG_REMOVE = "iam/resource/tag/remove", Edit;
}

/// The rights each of which leads to all others: whoever has one can give themselves any right, or
/// act as somebody who has it. For some, a policy must name already what they create or change.
///
/// What only takes away leads to no more than other policies allow: without a policy that denies, say.
pub const EQUAL_TO_ADMINISTRATOR: &[&str] = &[
    USER_CREATE,
    USER_EDIT,
    USER_TOKEN_CREATE,
    GROUP_CREATE,
    GROUP_EDIT,
    API_EDIT,
    POLICY_CREATE,
    POLICY_EDIT,
    PERMISSIONS_GROUP_CREATE,
    PERMISSIONS_GROUP_EDIT,
    RESOURCE_GROUP_CREATE,
    RESOURCE_GROUP_EDIT,
];

impl Right {
    /// Returns whether the right leads to all others.
    pub fn is_equal_to_administrator(&self) -> bool {
        EQUAL_TO_ADMINISTRATOR.contains(&self.action)
    }

    /// Returns the description for people, with a warning where the right leads to all others.
    pub fn explanation(&self) -> String {
        let description = self.description.trim().trim_end_matches('.');
        if self.is_equal_to_administrator() {
            format!("{description} (equal to administrator)")
        } else {
            description.to_owned()
        }
    }
}

/// Returns the action that adds a tag to a resource of this type, on the resource itself.
pub fn tag_add(resource_type: &str) -> String {
    format!("{resource_type}:apiovh:iam/resource/tag/add")
}

/// Returns the action that removes a tag from a resource of this type, on the resource itself.
pub fn tag_remove(resource_type: &str) -> String {
    format!("{resource_type}:apiovh:iam/resource/tag/remove")
}

/// The category of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Category {
    /// Creates an object.
    Create,
    /// Reads without changing anything.
    Read,
    /// Changes an object.
    Edit,
    /// Runs an operation.
    Operate,
    /// Deletes an object.
    Delete,
}

impl Category {
    /// Returns the text of the category on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Read => "READ",
            Self::Edit => "EDIT",
            Self::Operate => "OPERATE",
            Self::Delete => "DELETE",
        }
    }
}
