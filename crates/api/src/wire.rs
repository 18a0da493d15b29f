//! What goes over the wire, field by field.

mod account;
mod client;
mod decision;
mod identity;
mod log;
mod permissions;
mod policy;
mod resource;
mod user_token;

pub(crate) use account::{Details, Nichandle};
pub(crate) use client::{Client, ClientEdit, ClientRequest, ClientSecret};
pub(crate) use decision::{Action, BatchAnswer, BatchRequest, CheckAnswer, CheckRequest};
pub(crate) use identity::{Group, GroupEdit, GroupRequest, User, UserEdit, UserRequest};
pub(crate) use log::{AuditLog, Log};
pub(crate) use permissions::{PermissionsGroup, PermissionsGroupBody};
pub(crate) use policy::{Policy, PolicyBody};
pub(crate) use resource::{
    NewResource, NewResourceGroup, Resource, ResourceGroup, ResourceGroupBody, Tag, TagFilter,
};
pub(crate) use user_token::{
    NewPersonalAccessToken, PersonalAccessToken, PersonalAccessTokenEdit,
    PersonalAccessTokenRequest,
};

use serde::{Deserialize, Deserializer};

/// Reads `null` as an empty value; a field that is missing is still missing.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
