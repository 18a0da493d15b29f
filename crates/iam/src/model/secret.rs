//! Secrets of service accounts, and passwords of people.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::model::error::IamError;

/// What the leaked secrets of service accounts are found by.
pub(crate) const SERVICE_ACCOUNT: &str = "gws_";

/// A text that must not be seen: it is not printed, and wiped when it goes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

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
    /// A secret for a program: a prefix, 256 random bits, and a checksum of both, all of characters
    /// that need no escape in a URL or a form.
    pub(crate) fn of_bits(prefix: &str, bits: &[u8; 32]) -> Self {
        let mut text = format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bits));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// The text itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it. A random secret of 256 bits needs no slow hash.
    pub(crate) fn hash(&self) -> Digest {
        sha256(self.0.as_bytes())
    }

    /// Whether it is the one that was kept, in constant time.
    pub(crate) fn is(&self, hash: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.hash().as_ref(), hash).is_ok()
    }

    /// What is kept of a person's password: Argon2id, slow on purpose.
    pub(crate) fn slow_hash(&self, salt: &[u8; 16]) -> Result<String, IamError> {
        let hash = Argon2::default().hash_password_with_salt(self.0.as_bytes(), salt);
        hash.map(|hash| hash.to_string())
            .map_err(|error| IamError::internal(std::io::Error::other(error.to_string())))
    }

    /// Whether it is the password that was kept.
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

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes)
}
