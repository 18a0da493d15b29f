//! Personal access tokens: their documents, inputs and rules.

use std::time::Duration;

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::input::check_text;

/// What every personal access token begins with; the account and a dot follow.
pub(crate) const PREFIX: &str = "gwp_";

/// What is remembered of a token, under the hash of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserTokenDocument {
    /// The login of whose token it is.
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: Instant,
    pub(crate) expires: Option<Instant>,
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToken {
    /// Unique among the tokens of the user.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it expires, if it does.
    pub expires: Option<Instant>,
    /// When it was last used, to some seconds.
    pub used_at: Option<Instant>,
}

impl UserToken {
    /// Checks whether the token has expired at an instant.
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// When a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// At an instant.
    At(Instant),
    /// So many seconds from now.
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

/// A token to be made.
#[derive(Debug, Clone)]
pub struct UserTokenInput {
    /// Letters, digits, spaces, `.`, `_`, `@` and `-`.
    pub name: String,
    /// At most 255 characters.
    pub description: String,
    /// When it ends.
    pub expiry: Expiry,
}

/// A change of a token; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct UserTokenEdit {
    /// At most 255 characters.
    pub description: Option<String>,
    /// When it ends.
    pub expiry: Option<Expiry>,
}

impl UserTokenDocument {
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn token(&self, used_at: Option<Instant>) -> UserToken {
        UserToken {
            name: self.name.clone(),
            description: self.description.clone(),
            created_at: self.created_at,
            expires: self.expires,
            used_at,
        }
    }
}

/// What the use of a token is noted under.
pub(crate) fn subject(id: &str) -> String {
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

    const HAS_READABLE_ID: bool = false;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(format!("{}/{}", self.user, self.name))
    }
}
