//! Personal access tokens: their documents, inputs and rules.

use gatewright_store::Content;
use serde::{Deserialize, Serialize};

use crate::model::error::{Fault, IamError};
use crate::model::input::check_text;
use crate::model::instant;

/// What every personal access token begins with; the account and a dot follow.
pub(crate) const PREFIX: &str = "gwp_";

const SECOND: i64 = 1_000_000;

/// What is remembered of a token, under the hash of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserTokenDocument {
    /// The login of whose token it is.
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: i64,
    pub(crate) expires: Option<i64>,
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToken {
    /// Unique among the tokens of the user.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC; none where it does not expire.
    pub expires: Option<i64>,
    /// When it was last used, to some seconds: microseconds since 1970, UTC.
    pub used_at: Option<i64>,
}

impl UserToken {
    /// Checks whether the token has expired at an instant: microseconds since 1970, UTC.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// When a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// At an instant: microseconds since 1970, UTC.
    At(i64),
    /// So many seconds from now.
    In(i64),
}

impl Expiry {
    pub(crate) fn instant(self, now: i64) -> Result<Option<i64>, IamError> {
        let instant = match self {
            Self::Never => return Ok(None),
            Self::At(instant) => Some(instant),
            Self::In(seconds) => seconds.checked_mul(SECOND).and_then(|one| one.checked_add(now)),
        };
        match instant {
            Some(instant) if instant > now && instant::is_sayable(instant) => Ok(Some(instant)),
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
    pub(crate) fn content(&self) -> Result<Content, IamError> {
        let name = Some(format!("{}/{}", self.user, self.name));
        Ok(Content { name, document: serde_json::to_string(self)?, ..Content::default() })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn token(&self, used_at: Option<i64>) -> UserToken {
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
