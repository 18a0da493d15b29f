//! Personal access tokens: their documents, inputs and rules.

use std::time::Duration;

use gatewright_policy::{Instant, Login, TokenId};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, IdForm, Place, Properties};
use crate::model::error::{Fault, IamError};
use crate::model::input::check_text;
use crate::model::precondition::EntityTag;

/// The prefix of every personal access token; the account and a dot follow.
pub(crate) const PREFIX: &str = "gwp_";

/// The document of a token, under the hash of the token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserTokenDocument {
    /// The login of the user.
    pub(crate) user: Login,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: Instant,
    pub(crate) expires: Option<Instant>,
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToken {
    /// The name, unique among the tokens of the user.
    pub name: String,
    /// The description of its purpose.
    pub description: String,
    /// The time of its creation.
    pub created_at: Instant,
    /// The expiry time, if it expires.
    pub expires: Option<Instant>,
    /// The time of its last use, accurate to some seconds.
    pub used_at: Option<Instant>,
    /// The tag of what is shown of it, but for its last use.
    pub tag: EntityTag,
}

impl UserToken {
    /// Returns whether the token has expired at an instant.
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The expiry of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// No expiry.
    Never,
    /// Expiry at an instant.
    At(Instant),
    /// Expiry after a number of seconds from now.
    In(i64),
}

impl Expiry {
    pub(crate) fn instant(self, now: Instant) -> Result<Option<Instant>, IamError> {
        let instant = match self {
            Self::Never => return Ok(None),
            Self::At(instant) => Some(instant),
            Self::In(seconds) => {
                let seconds = u64::try_from(seconds).ok();
                seconds.and_then(|seconds| now.checked_add(Duration::from_secs(seconds)))
            }
        };
        match instant {
            Some(instant) if instant > now && instant.has_date() => Ok(Some(instant)),
            _ => Err(IamError::invalid(Fault::Format, "a token must expire in the future")),
        }
    }
}

/// The input that creates a token.
#[derive(Debug, Clone)]
pub struct UserTokenInput {
    /// The name: letters, digits, spaces, `.`, `_`, `@` and `-`.
    pub name: String,
    /// The description, at most 255 characters.
    pub description: String,
    /// The expiry.
    pub expiry: Expiry,
}

/// The input that updates a token; fields that are absent stay unchanged.
#[derive(Debug, Clone, Default)]
pub struct UserTokenEdit {
    /// The description, at most 255 characters.
    pub description: Option<String>,
    /// The expiry.
    pub expiry: Option<Expiry>,
}

impl UserTokenDocument {
    pub(crate) fn user(&self) -> &Login {
        &self.user
    }

    pub(crate) fn token(&self, used_at: Option<Instant>) -> Result<UserToken, IamError> {
        Ok(UserToken {
            tag: EntityTag::of(Self::KIND, self)?,
            name: self.name.clone(),
            description: self.description.clone(),
            created_at: self.created_at,
            expires: self.expires,
            used_at,
        })
    }
}

/// Returns the subject under which the use of a token is recorded.
pub(crate) fn subject(id: &TokenId) -> String {
    format!("userToken {id}")
}

pub(crate) fn check_name(name: &str) -> Result<(), IamError> {
    check_text("name", name, 1, 255)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._@-".contains(&b)) {
        let message = "\"name\" may hold letters, digits, spaces, ., _, @ and - only";
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

impl Document for UserTokenDocument {
    const KIND: Kind = Kind::UserToken;

    const PROPERTIES: Properties = Properties { id_form: IdForm::Hash, ..Properties::PLAIN };

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(format!("{}/{}", self.user, self.name))
    }
}
