//! Secrets of service accounts, and passwords of people.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::model::error::IamError;

/// The prefix of the secrets of service accounts, by which scanners find leaked ones.
pub(crate) const SERVICE_ACCOUNT: &str = "gws_";

/// A secret text: it is not printed, and wiped from memory when it is dropped. Two are compared in
/// constant time.
#[derive(Clone, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Secret {
    /// Formats a secret for a client: a prefix, 256 random bits, and a checksum of both, all of
    /// characters that need no escape in a URL or a form.
    pub(crate) fn of_bits(prefix: &str, bits: &[u8; 32]) -> Self {
        let mut text = format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bits));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// Reveals the text, for the one response that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Hashes the secret for storage. A random secret of 256 bits needs no slow hash.
    pub(crate) fn hash(&self) -> Digest {
        sha256(self.0.as_bytes())
    }

    /// Returns whether the secret has the stored hash, in constant time.
    pub(crate) fn is(&self, hash: &[u8]) -> bool {
        verify_slices_are_equal(self.hash().as_ref(), hash).is_ok()
    }

    /// Hashes a password for storage with Argon2id, slow on purpose.
    pub(crate) fn slow_hash(&self, salt: &[u8; 16]) -> Result<String, IamError> {
        let hash = Argon2::default().hash_password_with_salt(self.0.as_bytes(), salt);
        hash.map(|hash| hash.to_string())
            .map_err(|error| IamError::internal(std::io::Error::other(error.to_string())))
    }

    /// Returns whether the password has the stored hash.
    pub(crate) fn is_password(&self, hash: &str) -> bool {
        let Ok(hash) = argon2::password_hash::phc::PasswordHash::new(hash) else {
            return false;
        };
        Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok()
    }
}

pub(crate) fn checksum(text: &str) -> String {
    let sum: Vec<u8> = sha256(text.as_bytes()).as_ref().iter().take(4).copied().collect();
    BASE64_URL_SAFE_NO_PAD.encode(sum)
}

/// Computes the SHA-256 hash of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes)
}
