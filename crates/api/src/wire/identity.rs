//! Local users and their groups.

use gatewright_iam::{Fault, GroupInput, GroupName, IamError, Secret, UserInput, UserKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Identified, nullable, secret};
use crate::body_schema::accepted;
use crate::schema::described_as;

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = auth::RoleEnum)]
pub(crate) enum Role {
    Admin,
    None,
    Regular,
    Unprivileged,
}

impl From<gatewright_iam::Role> for Role {
    fn from(role: gatewright_iam::Role) -> Self {
        match role {
            gatewright_iam::Role::Admin => Self::Admin,
            gatewright_iam::Role::None => Self::None,
            gatewright_iam::Role::Regular => Self::Regular,
            gatewright_iam::Role::Unprivileged => Self::Unprivileged,
        }
    }
}

impl From<Role> for gatewright_iam::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::None => Self::None,
            Role::Regular => Self::Regular,
            Role::Unprivileged => Self::Unprivileged,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = auth::UserStatusEnum)]
pub(crate) enum UserStatus {
    Ok,
    Disabled,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = auth::UserTypeEnum)]
pub(crate) enum UserType {
    Root,
    Service,
    User,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::User)]
pub(crate) struct User {
    creation: String,
    description: String,
    email: Option<String>,
    group: String,
    groups: Vec<String>,
    last_update: String,
    login: String,
    password_last_update: Option<String>,
    status: UserStatus,
    #[serde(rename = "type")]
    kind: Option<UserType>,
    urn: String,
}

impl Identified for User {
    type Id = String;
    const ID: &'static str = "login";
}

impl From<gatewright_iam::User> for User {
    fn from(user: gatewright_iam::User) -> Self {
        Self {
            creation: user.created_at.to_string(),
            description: user.description,
            email: user.email,
            group: user.groups.first().map(GroupName::to_string).unwrap_or_default(),
            groups: user.groups.iter().map(GroupName::to_string).collect(),
            last_update: user.updated_at.to_string(),
            login: user.login.to_string(),
            password_last_update: user.password_changed_at.map(|at| at.to_string()),
            status: if user.enabled { UserStatus::Ok } else { UserStatus::Disabled },
            kind: Some(match user.kind {
                UserKind::User => UserType::User,
                UserKind::Service => UserType::Service,
            }),
            urn: user.urn,
        }
    }
}

/// A local user to create, with an optional password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::UserRequest)]
pub(crate) struct UserRequest {
    #[serde(default, deserialize_with = "nullable")]
    description: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    groups: Vec<String>,
    login: String,
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    #[serde(default, rename = "type")]
    kind: Option<UserType>,
}

fn group_names(texts: impl IntoIterator<Item = String>) -> Vec<GroupName> {
    texts.into_iter().map(GroupName::new).collect()
}

impl TryFrom<UserRequest> for UserInput {
    type Error = IamError;

    fn try_from(request: UserRequest) -> Result<Self, IamError> {
        Ok(Self {
            login: request.login,
            password: request.password,
            email: request.email,
            description: request.description,
            groups: group_names(request.group.into_iter().chain(request.groups)),
            kind: match request.kind {
                None | Some(UserType::User) => UserKind::User,
                Some(UserType::Service) => UserKind::Service,
                Some(UserType::Root) => {
                    let message = "\"type\" must be USER or SERVICE: an account has one owner";
                    return Err(IamError::invalid(Fault::Parameter, message));
                }
            },
        })
    }
}

/// The editable fields of a user; clients send whole objects back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserEdit {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

described_as!(UserEdit, User);

impl From<UserEdit> for gatewright_iam::UserEdit {
    /// Reads the groups: the main group alone replaces them all; with others it is the first of
    /// them.
    fn from(edit: UserEdit) -> Self {
        let groups = match (edit.group, edit.groups) {
            (None, groups) => groups.map(group_names),
            (Some(main), others) => {
                let others = others.unwrap_or_default().into_iter().filter(|one| *one != main);
                Some(group_names(std::iter::once(main.clone()).chain(others)))
            }
        };
        Self { email: edit.email, description: edit.description, groups }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::Group)]
pub(crate) struct Group {
    creation: String,
    default_group: bool,
    description: Option<String>,
    last_update: String,
    name: String,
    role: Role,
    urn: String,
}

impl Identified for Group {
    type Id = String;
    const ID: &'static str = "name";
}

impl From<gatewright_iam::Group> for Group {
    fn from(group: gatewright_iam::Group) -> Self {
        Self {
            creation: group.created_at.to_string(),
            default_group: group.built_in,
            description: group.description,
            last_update: group.updated_at.to_string(),
            name: group.name.to_string(),
            role: group.role.into(),
            urn: group.urn,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = auth::GroupRequest)]
pub(crate) struct GroupRequest {
    #[serde(default)]
    description: Option<String>,
    name: String,
    #[serde(default)]
    role: Option<Role>,
}

impl From<GroupRequest> for GroupInput {
    fn from(request: GroupRequest) -> Self {
        let role = request.role.map(Into::into);
        Self { name: request.name, description: request.description, role }
    }
}

/// The editable fields of a group; clients send whole objects back.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupEdit {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    role: Option<Role>,
}

described_as!(GroupEdit, Group);

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = auth::SecondFactorEnum)]
pub(crate) enum SecondFactor {
    Optional,
    Required,
}

/// The demand of an account for a second factor of its people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::SecondFactor)]
pub(crate) struct SecondFactorSetting {
    second_factor: SecondFactor,
}

impl From<gatewright_iam::SecondFactor> for SecondFactorSetting {
    fn from(second_factor: gatewright_iam::SecondFactor) -> Self {
        let second_factor = match second_factor {
            gatewright_iam::SecondFactor::Optional => SecondFactor::Optional,
            gatewright_iam::SecondFactor::Required => SecondFactor::Required,
        };
        Self { second_factor }
    }
}

impl From<SecondFactorSetting> for gatewright_iam::SecondFactor {
    fn from(setting: SecondFactorSetting) -> Self {
        match setting.second_factor {
            SecondFactor::Optional => Self::Optional,
            SecondFactor::Required => Self::Required,
        }
    }
}

accepted! {
    SecondFactorSetting as SecondFactorSetting;
    GroupRequest as Group;
    GroupEdit as Group;
    UserRequest as User;
    UserEdit as User;
}

impl From<GroupEdit> for GroupInput {
    fn from(edit: GroupEdit) -> Self {
        let role = edit.role.map(Into::into);
        Self { name: String::new(), description: edit.description, role }
    }
}
