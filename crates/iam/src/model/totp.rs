//! Second factors: the rules of one-time codes (TOTP, RFC 6238) and of backup codes.

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::secret::Secret;

/// The document of an authenticator, under the URN of its user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpDocument {
    pub(crate) created_at: Instant,
    /// The time step of the last code that was accepted: a replay is refused.
    pub(crate) last_step: u64,
    pub(crate) backup_codes_left: usize,
}

/// The part of the document that is sealed under the master key.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Sealed {
    /// The shared secret in base 32, as authenticators take it.
    #[serde(serialize_with = "reveal", deserialize_with = "conceal")]
    pub(crate) secret: Secret,
    /// The hashes of the unused backup codes, in hexadecimal digits.
    pub(crate) backup: Vec<String>,
}

fn reveal<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::from)
}

/// An enrolled authenticator that takes effect once a code has proved that it has the secret.
#[derive(Debug)]
pub struct NewTotp {
    /// The secret, as people type it.
    pub secret: Secret,
    /// The secret as an `otpauth` URL, which authenticators scan.
    pub url: Secret,
    /// The sealed state that the proof must return.
    pub state: String,
}

/// The authenticator of a user, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TotpStatus {
    /// True if the user has an authenticator.
    pub has_totp: bool,
    /// The number of unused backup codes.
    pub backup_codes_left: usize,
}

pub(crate) fn totp(secret: &Secret, who: &str) -> Result<Totp, IamError> {
    let secret = totp_rs::Secret::try_from_base32(secret.reveal()).map_err(IamError::internal)?;
    // A colon would end the name of the issuer in the URL.
    let who = who.replace(':', " ");
    let builder = Builder::new().with_secret(secret).with_account_name(who);
    builder.with_issuer(Some("Gatewright")).build().map_err(IamError::internal)
}

pub(crate) fn seconds(now: Instant) -> Result<u64, IamError> {
    u64::try_from(now.seconds()).map_err(IamError::internal)
}

/// Normalizes a code: removes the characters that people put in between.
pub(crate) fn normalize_code(code: &str) -> Secret {
    // Never moved while it grows, which would leave a copy.
    let mut normalized = String::with_capacity(code.len());
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    normalized.extend(letters.map(|letter| letter.to_ascii_lowercase()));
    normalized.into()
}

/// The number of characters of a backup code that is normalized.
pub(crate) const BACKUP_CODE_LENGTH: usize = 16;

/// Returns whether a text has the form of a backup code: 80 bits, which nobody guesses.
pub(crate) fn is_backup_code(code: &str) -> bool {
    normalize_code(code).reveal().len() == BACKUP_CODE_LENGTH
}

pub(crate) fn backup_hash(code: &str) -> String {
    hex::encode(normalize_code(code).hash())
}

impl Document for TotpDocument {
    const KIND: Kind = Kind::Totp;
}
