//! The types of request and response bodies in their wire format.

mod account;
mod authzen;
mod client;
mod decision;
mod error;
mod fact;
mod guarded_api;
mod identity;
mod log;
mod oauth2;
mod permissions;
mod policy;
mod resource;
mod user_token;

pub(crate) use account::{Details, Nichandle, NichandleEdit};
pub(crate) use authzen::{
    ActionSearch, ActionsFound, Configuration, EntitiesFound, EntityFound, EvaluationContext,
    EvaluationError, EvaluationRequest, EvaluationResponse, EvaluationsRequest,
    EvaluationsResponse, ResourceSearch, SubjectSearch,
};
pub(crate) use client::{Client, ClientEdit, ClientRequest, ClientSecret};
pub(crate) use decision::{Action, BatchAnswer, BatchRequest, CheckAnswer, CheckRequest};
pub(crate) use error::{ErrorBody, OAuth2Error};
pub(crate) use fact::FactLine;
pub(crate) use guarded_api::GuardedApi;
pub(crate) use identity::{
    Group, GroupEdit, GroupRequest, SecondFactorSetting, User, UserEdit, UserRequest,
};
pub(crate) use log::{ActivityLine, AuditLog, Log};
pub(crate) use oauth2::{
    Discovery, Introspection, KeySet, Revoked, TokenAbout, TokenRequest, TokenResponse,
};
pub(crate) use permissions::{PermissionsGroup, PermissionsGroupBody};
pub(crate) use policy::{Policy, PolicyBody};
pub(crate) use resource::{
    NewResource, NewResourceGroup, Resource, ResourceEdit, ResourceGroup, ResourceGroupBody, Tag,
    TagFilter,
};
pub(crate) use user_token::{
    NewPersonalAccessToken, PersonalAccessToken, PersonalAccessTokenEdit,
    PersonalAccessTokenRequest,
};

use gatewright_iam::Secret;
use serde::{Deserialize, Deserializer, Serializer};
use utoipa::ToSchema;

/// An object that lists identify by one of its fields.
pub(crate) trait Identified {
    type Id: ToSchema;
    /// The name of the field.
    const ID: &'static str;
}

/// Deserializes `null` as the empty value; a missing field is still an error.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Serializes a secret, for the one response that shows it.
fn reveal<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

/// Serializes an optional secret.
#[expect(clippy::ref_option, reason = "serde passes the field so")]
fn reveal_option<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => reveal(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// Deserializes an optional secret.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::from))
}
