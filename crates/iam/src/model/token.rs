//! Access tokens: their requests, responses, introspection and errors.

use std::str::FromStr;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use gatewright_policy::{AccountName, ClientId, Fact, Instant, ResourceUrn, TokenId};
use gatewright_store::{Kind, StoreError};
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, IdForm, Place, Properties};
use crate::model::error::IamError;
use crate::model::secret::Secret;

/// Lifetime of a token; the response to a token request says a second less, as everywhere.
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);

/// The lifetime in the response to a token request (`expires_in`), in seconds.
pub(crate) const EXPIRES_IN: i64 = LIFETIME.as_secs().cast_signed() - 1;

/// A value of [`Verified::admitted`] that no view has.
pub(crate) const NEVER: u64 = u64::MAX;

/// A token whose signature, issuer, audience and form are verified. Its validity (expiry and
/// revocation) is checked at each use.
///
/// Invariants of the atomics, which threads read and write with relaxed ordering: `noted` only
/// thins out records, so a lost write costs one record more; `admitted` is the fingerprint of a view in which
/// the token was found valid, and is compared for equality only, so an old value costs one check
/// more.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) client_id: ClientId,
    pub(crate) id: TokenId,
    pub(crate) scope: Box<str>,
    pub(crate) issued: Instant,
    pub(crate) expires: Instant,
    /// The time at which its use was last recorded, in [`Instant::micros`].
    pub(crate) noted: AtomicI64,
    /// The fingerprint of the view of its account in which its service account was last found to exist, and
    /// the token not to be revoked: what is true of a view stays true of it.
    pub(crate) admitted: AtomicU64,
}

/// The rotation of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRotation {
    /// Publishes the key now and signs with it once every resource server can have it; the others
    /// stay until their last token has expired.
    Planned,
    /// Signs with the key at once, and deletes all other keys, which invalidates their tokens.
    Emergency,
}

/// The document of a revoked token.
#[derive(Serialize, Deserialize)]
pub(crate) struct RevokedDocument {
    /// The time at which it would have expired.
    pub(crate) expires: Instant,
}

/// A token request of a client.
#[derive(Debug)]
pub struct Grant {
    /// The client identifier.
    pub client_id: ClientId,
    /// The client secret.
    pub client_secret: Secret,
    /// The requested scope.
    pub scope: Option<String>,
    /// The projects on which a requested ID token shall list the roles.
    pub projects: Option<ResourceUrn>,
}

/// The response to a token request.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The access token.
    pub access_token: Secret,
    /// Its lifetime, in seconds.
    pub expires_in: i64,
    /// The scope, as it was requested.
    pub scope: String,
    /// An ID token, where the scope has `openid`.
    pub id_token: Option<Secret>,
}

/// The introspection response for an active token (RFC 7662, section 2.2).
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The URN of the identity.
    pub identity: String,
    /// The account that it belongs to.
    pub account: AccountName,
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// The scope.
    pub scope: String,
    /// The identifier of the token.
    pub id: TokenId,
    /// The time of issue, to the second.
    pub issued: Instant,
    /// The expiry time, to the second.
    pub expires: Instant,
    /// True for an access token, false for an ID token.
    pub is_access_token: bool,
    /// The current roles on the projects of an ID token.
    pub roles: Option<ProjectRoles>,
}

/// The answer to a client that is disabled.
pub(crate) const DISABLED: &str = "this service account is disabled";

/// Errors of a token request (RFC 6749, section 5.2).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The client does not exist, or its secret is wrong; from outside the two look the same.
    #[error("the client does not exist or its secret is wrong")]
    InvalidClient,
    /// The scope is missing, or contains an unknown one.
    #[error("the scope must be \"all\", or \"<resource type>/all\" for one type or several")]
    InvalidScope,
    /// The resource on which roles were requested is no project (RFC 8707, section 2).
    #[error(
        "roles are issued for a registered project, by its URN as in \
         urn:v1:eu:resource:publicCloudProject:NAME, or for the whole account, by the name pci"
    )]
    InvalidTarget,
    /// The roles are more than fit into a header.
    #[error(
        "these are more roles than fit into a token: name one project in the address of the role \
         adapter, or allow the service account less"
    )]
    TooManyRoles,
    /// The client is not authorized for the request.
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

/// A signature algorithm, as JOSE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256; every common verifier supports it.
    #[default]
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA of 2048 bits with PKCS #1 v1.5.
    Rs256,
}

impl Algorithm {
    /// Returns the name of the algorithm in a token.
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

/// The claims of an ID token about projects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProjectRoles {
    /// The requested project; none for all projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The roles on that project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The roles on every requested project, as in `project:role`.
    pub project_roles: Vec<String>,
}

/// Returns whether the scope requests an ID token beside the access token.
pub(crate) fn wants_id_token(scope: &str) -> bool {
    scope.split(' ').any(|one| one == "openid")
}

impl Document for RevokedDocument {
    const KIND: Kind = Kind::RevokedToken;

    const PROPERTIES: Properties = Properties { id_form: IdForm::Hash, ..Properties::PLAIN };

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        Ok(vec![Fact::RevokedToken { id: TokenId::new(place.id), counts: after.is_some() }])
    }
}
