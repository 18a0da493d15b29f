//! Roles of groups, as forms and texts name them.

use gatewright_iam::Role;

/// Role with its value in a form and the key of its text.
pub(super) struct RoleOption {
    pub(super) value: &'static str,
    pub(super) role: Role,
    pub(super) text: &'static str,
}

/// Lists the roles in the order in which a form offers them.
pub(super) fn role_options() -> [RoleOption; 4] {
    [Role::None, Role::Unprivileged, Role::Regular, Role::Admin].map(|role| RoleOption {
        value: role_value(role),
        role,
        text: role_text(role),
    })
}

fn role_value(role: Role) -> &'static str {
    match role {
        Role::None => "none",
        Role::Unprivileged => "unprivileged",
        Role::Regular => "regular",
        Role::Admin => "admin",
    }
}

/// Returns the key of the text of a role.
pub(super) fn role_text(role: Role) -> &'static str {
    match role {
        Role::None => "role-none",
        Role::Unprivileged => "role-unprivileged",
        Role::Regular => "role-regular",
        Role::Admin => "role-admin",
    }
}

/// Returns the role with a name in forms; none if there is no such role.
pub(super) fn parse_role(value: &str) -> Option<Role> {
    role_options().into_iter().find(|one| one.value == value).map(|one| one.role)
}
