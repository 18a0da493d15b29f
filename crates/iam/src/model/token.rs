//! Access tokens: what is asked for, given out and known of them.

use std::str::FromStr;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use gatewright_policy::{Fact, Instant, ResourceUrn};
use gatewright_store::{Kind, StoreError};
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::IamError;
use crate::model::secret::Secret;

/// How long a token lives; the answer to a token request says a second less, as everywhere.
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);

/// The lifetime as the answer to a token request says it, in seconds.
pub(crate) const EXPIRES_IN: i64 = LIFETIME.as_secs().cast_signed() - 1;

/// No revision.
pub(crate) const NEVER: i64 = -1;

/// A token whose signature, issuer, audience and form were found good. Whether it still counts is
/// asked each time it is used.
///
/// What must stay true of the atomics, which threads read and write without order: `noted` only thins
/// out records, so a lost write costs one record more; `admitted` names a revision at which the token
/// was found to count, and is compared for equality only, so an old value costs one check more.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) client_id: Box<str>,
    pub(crate) id: Box<str>,
    pub(crate) scope: Box<str>,
    pub(crate) issued: Instant,
    pub(crate) expires: Instant,
    /// When it was last recorded that the token is used, in [`Instant::micros`].
    pub(crate) noted: AtomicI64,
    /// The revision of its account at which its service account was last found to live, and the token
    /// not to be revoked: what is true of a revision stays true of it.
    pub(crate) admitted: AtomicI64,
}

/// How a new signing key takes over from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRotation {
    /// It is published now and signs once everybody can have it; the others stay until their last
    /// token has expired.
    Planned,
    /// It signs at once, and all other keys are deleted, with the tokens that they signed.
    Emergency,
}

/// What is remembered of a revoked token.
#[derive(Serialize, Deserialize)]
pub(crate) struct RevokedDocument {
    /// When it would have expired by itself.
    pub(crate) expires: Instant,
}

/// What a client asks a token with.
#[derive(Debug)]
pub struct Grant {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the token shall be for.
    pub scope: Option<String>,
    /// Which projects an ID token shall say the roles on, if one is asked for.
    pub projects: Option<ResourceUrn>,
}

/// A token that was given out.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub access_token: Secret,
    /// Seconds.
    pub expires_in: i64,
    /// As it was asked for.
    pub scope: String,
    /// An ID token, where the scope has `openid`.
    pub id_token: Option<Secret>,
}

/// What is known of a token that counts (RFC 7662, section 2.2).
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The URN of the identity.
    pub identity: String,
    /// The account that it belongs to.
    pub account: String,
    /// Whose token it is.
    pub client_id: String,
    /// What it may be used for.
    pub scope: String,
    /// Its identifier.
    pub id: String,
    /// When it was issued, to the second.
    pub issued: Instant,
    /// When it expires, to the second.
    pub expires: Instant,
    /// Whether it is an access token, and not an ID token.
    pub is_access_token: bool,
    /// The roles of today on the projects that an ID token is about.
    pub roles: Option<ProjectRoles>,
}

/// Why a token request is refused (RFC 6749, section 5.2).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No such client, or not its secret; from outside the two look the same.
    #[error("the client does not exist or its secret is wrong")]
    InvalidClient,
    /// The scope is missing, or holds what is not known.
    #[error("the scope must be \"all\", or \"<resource type>/all\" for one type or several")]
    InvalidScope,
    /// What roles were asked for on is no project (RFC 8707, section 2).
    #[error(
        "roles are told on the URN of a project that is registered, as in \
         urn:v1:eu:resource:publicCloudProject:NAME, or with the name pci on all of the account"
    )]
    InvalidTarget,
    /// There are more roles than fit into a header.
    #[error(
        "these are more roles than fit into a token: name one project in the address of the role \
         adapter, or allow the service account less"
    )]
    TooManyRoles,
    /// The client may not do this.
    #[error("{0}")]
    UnauthorizedClient(&'static str),
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] IamError),
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What tokens are signed with, as JOSE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256; every common verifier knows it.
    #[default]
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA of 2048 bits with PKCS #1 v1.5.
    Rs256,
}

impl Algorithm {
    /// The text of it in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Es256, Self::EdDsa, Self::Rs256];
        let known = known.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text} is none of ES256, EdDSA, RS256"))
    }
}

/// What an ID token says of projects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProjectRoles {
    /// The project that was asked about; none where all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The roles on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The roles on every project that was asked about, as in `project:role`.
    pub project_roles: Vec<String>,
}

/// Whether an ID token is wanted beside the access token.
pub(crate) fn wants_id_token(scope: &str) -> bool {
    scope.split(' ').any(|one| one == "openid")
}

impl Document for RevokedDocument {
    const KIND: Kind = Kind::RevokedToken;

    const HAS_READABLE_ID: bool = false;

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        Ok(vec![Fact::RevokedToken { id: place.id.into(), counts: after.is_some() }])
    }
}
