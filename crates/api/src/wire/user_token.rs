//! Personal access tokens.

use gatewright_iam::{Expiry, Fault, IamError, Instant, Secret, UserToken, UserTokenInput};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Identified, reveal};
use crate::body_schema::accepted;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::PersonalAccessToken)]
pub(crate) struct PersonalAccessToken {
    creation: String,
    description: String,
    expires_at: Option<String>,
    last_used: Option<String>,
    name: String,
}

impl Identified for PersonalAccessToken {
    type Id = String;
    const ID: &'static str = "name";
}

impl From<UserToken> for PersonalAccessToken {
    fn from(token: UserToken) -> Self {
        Self {
            creation: token.created_at.to_string(),
            description: token.description,
            expires_at: token.expires.map(|at| at.to_string()),
            last_used: token.used_at.map(|at| at.to_string()),
            name: token.name,
        }
    }
}

/// A new personal access token. No other response shows the token itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::PersonalAccessTokenResponse)]
pub(crate) struct NewPersonalAccessToken {
    creation: String,
    description: String,
    expires_at: Option<String>,
    last_used: Option<String>,
    name: String,
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    token: Secret,
}

impl NewPersonalAccessToken {
    pub(crate) fn new(about: UserToken, token: Secret) -> Self {
        let PersonalAccessToken { creation, description, expires_at, last_used, name } =
            about.into();
        Self { creation, description, expires_at, last_used, name, token }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::PersonalAccessTokenRequest)]
pub(crate) struct PersonalAccessTokenRequest {
    description: String,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    expires_in: Option<i64>,
    name: String,
}

impl TryFrom<PersonalAccessTokenRequest> for UserTokenInput {
    type Error = IamError;

    fn try_from(request: PersonalAccessTokenRequest) -> Result<Self, IamError> {
        let at = request.expires_at.map_or(ExpiresAt::Never, ExpiresAt::At);
        let expiry = expiry(at, request.expires_in)?;
        Ok(Self {
            name: request.name,
            description: request.description,
            expiry: expiry.unwrap_or(Expiry::Never),
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = auth::PersonalAccessTokenModifyRequest)]
pub(crate) struct PersonalAccessTokenEdit {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: ExpiresAt,
    #[serde(default)]
    expires_in: Option<i64>,
}

impl TryFrom<PersonalAccessTokenEdit> for gatewright_iam::UserTokenEdit {
    type Error = IamError;

    fn try_from(edit: PersonalAccessTokenEdit) -> Result<Self, IamError> {
        let expiry = expiry(edit.expires_at, edit.expires_in)?;
        Ok(Self { description: edit.description, expiry })
    }
}

// The command line of OVHcloud sends `expiredAt`, which means nothing, as there.
accepted! {
    PersonalAccessTokenRequest as PersonalAccessToken, ignoring ["expiredAt"];
    PersonalAccessTokenEdit as PersonalAccessToken, ignoring ["expiredAt"];
}

/// The expiry in an edit: `null` removes it, a missing field keeps it.
#[derive(Debug, Default)]
enum ExpiresAt {
    #[default]
    LeftOut,
    Never,
    At(String),
}

impl<'de> Deserialize<'de> for ExpiresAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Never, Self::At))
    }
}

/// Reads the expiry of a token; none if the request leaves it out.
fn expiry(at: ExpiresAt, seconds: Option<i64>) -> Result<Option<Expiry>, IamError> {
    match (at, seconds) {
        (ExpiresAt::At(_), Some(_)) => {
            let message = "\"expiresAt\" and \"expiresIn\" exclude each other: send one of them";
            Err(IamError::invalid(Fault::Parameter, message))
        }
        (_, Some(seconds)) => Ok(Some(Expiry::In(seconds))),
        (ExpiresAt::At(text), None) => {
            let instant = Instant::parse(&text).ok_or_else(|| {
                let message = "\"expiresAt\" must be a date and time such as 2027-12-31T23:59:59Z";
                IamError::invalid(Fault::Format, message)
            })?;
            Ok(Some(Expiry::At(instant)))
        }
        (ExpiresAt::Never, None) => Ok(Some(Expiry::Never)),
        (ExpiresAt::LeftOut, None) => Ok(None),
    }
}
