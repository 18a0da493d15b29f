//! Second factors: the rules of codes of an authenticator (TOTP, RFC 6238), and of backup codes.

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::secret::Secret;

/// What is remembered of somebody's authenticator, under their URN.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpDocument {
    pub(crate) created_at: Instant,
    /// The step of the last code that was taken: no code is good twice.
    pub(crate) last_step: u64,
    pub(crate) backup_codes_left: usize,
}

/// What is sealed under the master key.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Sealed {
    /// In base 32, as authenticators take it.
    pub(crate) secret: String,
    /// The hashes of the backup codes that were not used, in hexadecimal digits.
    pub(crate) backup: Vec<String>,
}

/// An authenticator that is not in force until it has proved that it has the secret.
#[derive(Debug)]
pub struct NewTotp {
    /// The secret, as people type it.
    pub secret: Secret,
    /// The secret, as authenticators scan it.
    pub url: Secret,
    /// What the proof must come with.
    pub state: String,
}

/// The second factors of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MfaMethods {
    /// Whether they have an authenticator.
    pub has_totp: bool,
    /// How many backup codes are left.
    pub backup_codes_left: usize,
}

/// With what somebody proved a second time who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Totp,
    BackupCode,
}

pub(crate) fn totp(secret: &str, who: &str) -> Result<Totp, IamError> {
    let secret = totp_rs::Secret::try_from_base32(secret).map_err(IamError::internal)?;
    // A colon would end the name of the issuer.
    let who = who.replace(':', " ");
    let builder = Builder::new().with_secret(secret).with_account_name(who);
    builder.with_issuer(Some("Gatewright")).build().map_err(IamError::internal)
}

pub(crate) fn seconds(now: Instant) -> Result<u64, IamError> {
    u64::try_from(now.seconds()).map_err(IamError::internal)
}

/// What somebody typed, without what people put between the characters.
pub(crate) fn normalize_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

pub(crate) fn backup_hash(code: &str) -> String {
    hex::encode(Secret::from(normalize_code(code)).hash())
}

impl Document for TotpDocument {
    const KIND: Kind = Kind::Totp;
}
