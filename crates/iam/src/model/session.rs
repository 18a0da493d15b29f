//! Sessions: their documents, inputs and rules.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::{AccountName, Instant, SessionId};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::caller::{Origin, Principal, SessionAuthentication};
use crate::model::document::{Document, IdForm, Properties};
use crate::model::error::IamError;
use crate::model::secret::Secret;
use crate::model::skew::is_from_future;

/// The prefix of the secrets of sessions.
pub(crate) const BROWSER: &str = "gwb_";

/// Maximum lifetime of a session, regardless of its use.
pub(crate) const LIFETIME: Duration = Duration::from_hours(12);

/// Time for which an authentication is fresh: a second factor must follow the password within it, and
/// later sensitive actions require re-authentication.
pub(crate) const AUTHENTICATION_FRESH: Duration = Duration::from_mins(10);

/// Idle timeout of a session.
pub(crate) const IDLE: Duration = Duration::from_hours(2);

/// The second factor by which a person authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SecondFactorProof {
    /// A code of an authenticator.
    #[serde(rename = "TOTP")]
    Totp,
    /// A backup code.
    #[serde(rename = "BACKUP_CODE")]
    BackupCode,
    /// A passkey, under OVHcloud's name.
    #[serde(rename = "U2F")]
    Passkey,
    /// A factor that a later version knows.
    #[serde(other, rename = "OTHER")]
    Other,
}

/// The document of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionDocument {
    /// The URN of the identity that signed in.
    pub(crate) identity: String,
    /// The time of its creation.
    pub(crate) created_at: Instant,
    /// The time at which it ends.
    pub(crate) expires: Instant,
    pub(crate) user_agent: String,
    pub(crate) ip: Option<String>,
    /// True if the session only lets its holder complete a second factor.
    #[serde(default)]
    pub(crate) pending: bool,
    /// The second factor by which the user authenticated, or that they set up in the session, if any.
    #[serde(default)]
    pub(crate) second_factor: Option<SecondFactorProof>,
    /// The time of the last re-authentication, if there was one after the sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authenticated_at: Option<Instant>,
}

impl SessionDocument {
    pub(crate) fn of(identity: &str, origin: &Origin) -> Self {
        Self {
            identity: identity.to_owned(),
            created_at: origin.now,
            expires: origin.now.saturating_add(LIFETIME),
            user_agent: origin.user_agent.chars().filter(|c| !c.is_control()).take(255).collect(),
            ip: origin.ip.map(|ip| ip.to_string()),
            pending: false,
            second_factor: None,
            authenticated_at: None,
        }
    }

    /// Returns whether the session has ended; one that was opened by a clock that was ahead does not
    /// count, as it would last for too long.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.expires <= now || is_from_future(self.created_at, now)
    }

    /// Returns how the holder of the session has authenticated.
    pub(crate) fn authentication(&self, id: &SessionId) -> SessionAuthentication {
        let authenticated_at = self.authenticated_at.unwrap_or(self.created_at);
        SessionAuthentication {
            id: id.clone(),
            authenticated_at,
            fresh_until: authenticated_at.saturating_add(AUTHENTICATION_FRESH),
            has_second_factor: self.second_factor.is_some(),
        }
    }
}

/// The access that a session gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAccess {
    /// All that the person may do.
    Full,
    /// Set up a second factor, which the account demands, and nothing else.
    Enrolment,
}

/// The proof by which a person who is signed in re-authenticates.
#[derive(Debug)]
pub enum Reauthentication {
    /// Their password.
    Password(Secret),
    /// A code of their authenticator, or a backup code.
    Code(Secret),
}

/// A request to sign in with a password.
#[derive(Debug)]
pub struct Attempt {
    /// The name of an account, for its owner; with `/` and a login, for a user of it.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// The origin of the request.
    pub origin: Origin,
}

/// The outcome of a correct password.
#[derive(Debug)]
pub enum SignedIn {
    /// A complete session.
    Whole(SessionToken),
    /// A session that must still be confirmed with a second factor.
    NeedsCode(SessionToken),
}

/// Errors of a sign-in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The user does not exist, or the password is wrong; from outside the two look the same.
    #[error("the login or the password is wrong")]
    Wrong,
    /// The code is wrong, or was used before.
    #[error("the code is wrong or was used before")]
    WrongCode,
    /// The account demands a second factor, and the person has passkeys only.
    #[error("this account demands a second factor: sign in with your passkey")]
    NeedsPasskey,
    /// The passkey is unknown, or the challenge has expired.
    #[error("the passkey is not known here")]
    WrongPasskey,
    /// The user is disabled.
    #[error("this user is disabled: ask an administrator of the account")]
    Disabled,
    /// The rate limit of failed attempts is reached.
    #[error("too many attempts: try again in {seconds} seconds")]
    TooMany {
        /// The time until the next attempt is allowed, in seconds.
        seconds: u64,
    },
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] IamError),
}

/// The token of a session, which the browser sends with each request: the account, a dot, a secret.
#[derive(Debug, Clone)]
pub struct SessionToken {
    pub(crate) account: AccountName,
    pub(crate) secret: Secret,
}

impl SessionToken {
    /// Parses the token of a session; returns none when it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, secret) = text.split_once('.')?;
        let sound = account.len() <= 64 && secret.len() <= 128;
        sound.then(|| Self { account: AccountName::new(account), secret: secret.to_owned().into() })
    }

    /// Reveals the text of the token, for the browser alone.
    pub fn reveal(&self) -> Secret {
        format!("{}.{}", self.account, self.secret.reveal()).into()
    }

    pub(crate) fn id(&self) -> SessionId {
        SessionId::new(hex::encode(self.secret.hash()))
    }
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The identifier of the session, which is not its secret.
    pub id: SessionId,
    /// The principal that signed in.
    pub principal: Arc<Principal>,
    /// The access that it gives.
    pub access: SessionAccess,
    /// The time of its creation.
    pub created_at: Instant,
    /// The maximum expiry time.
    pub expires: Instant,
    /// The time of its last use, as far as this node knows.
    pub used_at: Option<Instant>,
    /// The `User-Agent` of the sign-in.
    pub user_agent: String,
    /// The client's IP address at the sign-in.
    pub ip: Option<String>,
}

impl Document for SessionDocument {
    const KIND: Kind = Kind::Session;
    const PROPERTIES: Properties = Properties { id_form: IdForm::Hash, ..Properties::PLAIN };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_is_stored_by_its_name_and_one_of_a_later_version_counts() {
        for factor in ["TOTP", "BACKUP_CODE", "U2F"] {
            let text = format!("\"{factor}\"");
            let read: SecondFactorProof = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        let later = serde_json::from_str::<SecondFactorProof>("\"RETINA\"");
        assert_eq!(later.unwrap(), SecondFactorProof::Other);
    }
}
