//! Sessions: their documents, inputs and rules.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::caller::{Origin, Principal};
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::secret::Secret;

/// What the secrets of sessions begin with.
pub(crate) const BROWSER: &str = "gwb_";

/// A session ends after so long, whatever happens in it.
const LIFETIME: Duration = Duration::from_hours(12);

/// A code must come within this time after the password.
pub(crate) const CONFIRMED_WITHIN: Duration = Duration::from_mins(10);

/// A session in which nothing happens ends after so long.
pub(crate) const IDLE: Duration = Duration::from_hours(2);

/// A password has at least so many characters.
const SHORTEST: usize = 8;

/// A login or a password has at most so many, so that neither takes long.
pub(crate) const LONGEST: usize = 1_024;

/// What is remembered of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionDocument {
    /// The URN of who signed in.
    pub(crate) identity: String,
    /// When it was created.
    pub(crate) created_at: Instant,
    /// When it ends.
    pub(crate) expires: Instant,
    pub(crate) user_agent: String,
    pub(crate) ip: Option<String>,
    /// Whether it only lets its holder send a code.
    #[serde(default)]
    pub(crate) pending: bool,
    /// With what beside a password they proved who they are.
    #[serde(default)]
    pub(crate) second_factor: Option<String>,
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
        }
    }
}

/// Somebody wants to sign in.
#[derive(Debug)]
pub struct Attempt {
    /// The name of an account, for its owner; with `/` and a login, for a user of it.
    pub login: String,
    /// Their password.
    pub password: Secret,
    /// With what and from where.
    pub origin: Origin,
}

/// What a password was good for.
#[derive(Debug)]
pub enum SignedIn {
    /// A session.
    Whole(SessionToken),
    /// A session that must still be confirmed with a code.
    NeedsCode(SessionToken),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no such person, or that is not their password; from outside the two look the same.
    #[error("the login or the password is wrong")]
    Wrong,
    /// The code is wrong, or was used before.
    #[error("the code is wrong or was used before")]
    WrongCode,
    /// The passkey is not known, or the browser took too long.
    #[error("the passkey is not known here")]
    WrongPasskey,
    /// They may not sign in at present.
    #[error("this user is disabled: ask an administrator of the account")]
    Disabled,
    /// They were wrong too often.
    #[error("too many attempts: try again in {seconds} seconds")]
    TooMany {
        /// How long they must wait.
        seconds: u64,
    },
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] IamError),
}

/// What a browser shows again with each request: the account, a dot, a secret.
#[derive(Debug, Clone)]
pub struct SessionToken {
    pub(crate) account: String,
    pub(crate) secret: Secret,
}

impl SessionToken {
    /// Reads the text of one; none when it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, secret) = text.split_once('.')?;
        let sound = account.len() <= 64 && secret.len() <= 128;
        sound.then(|| Self { account: account.to_owned(), secret: secret.to_owned().into() })
    }

    /// The text itself, for the browser alone.
    pub fn reveal(&self) -> Secret {
        format!("{}.{}", self.account, self.secret.reveal()).into()
    }

    pub(crate) fn id(&self) -> String {
        hex::encode(self.secret.hash())
    }
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// What it is called; not its secret.
    pub id: String,
    /// Who signed in.
    pub principal: Arc<Principal>,
    /// When.
    pub created_at: Instant,
    /// When it ends at the latest.
    pub expires: Instant,
    /// When it was last used, as far as this node knows.
    pub used_at: Option<Instant>,
    /// What they signed in with.
    pub user_agent: String,
    /// From where they signed in.
    pub ip: Option<String>,
}

/// Refuses a password that is too short to be one, or too long to be hashed.
pub(crate) fn check_password(password: &Secret) -> Result<(), IamError> {
    let length = password.reveal().chars().count();
    if length < SHORTEST {
        let message = format!("the password must have at least {SHORTEST} characters");
        return Err(IamError::invalid(Fault::Format, message));
    }
    if length > LONGEST {
        let message = format!("the password must have at most {LONGEST} characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    Ok(())
}

impl Document for SessionDocument {
    const KIND: Kind = Kind::Session;
    const HAS_READABLE_ID: bool = false;
}
