//! Secrets of service accounts, and passwords of people.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::IamError;

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
    pub(crate) fn generate(prefix: &str) -> Result<Self, IamError> {
        let mut bits = random::<32>()?;
        let mut text = format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bits));
        bits.zeroize();
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text))
    }

    /// A password for the owner of a new account.
    pub fn password() -> Result<Self, IamError> {
        let mut bits = random::<15>()?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bits);
        bits.zeroize();
        Ok(Self(text))
    }

    /// The text itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it. A random secret of 256 bits needs no slow hash.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// Whether it is the one that was kept, in constant time.
    pub(crate) fn is(&self, hash: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.hash(), hash).is_ok()
    }

    /// What is kept of a person's password: Argon2id, slow on purpose.
    pub(crate) fn slow_hash(&self) -> Result<String, IamError> {
        let hash = Argon2::default().hash_password(self.0.as_bytes());
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

fn checksum(text: &str) -> String {
    let [a, b, c, d, ..] = sha256(text.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode([a, b, c, d])
}

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], IamError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(IamError::internal)?;
    Ok(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_prefix_256_bits_and_a_checksum() {
        let secret = Secret::generate(SERVICE_ACCOUNT).unwrap();
        let text = secret.reveal();
        assert_eq!(text.len(), 4 + 43 + 6);
        let (body, sum) = text.split_at(47);
        assert!(body.starts_with("gws_"));
        assert_eq!(sum, checksum(body));
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(secret, Secret::generate(SERVICE_ACCOUNT).unwrap());
    }

    #[test]
    fn a_secret_is_recognised_by_its_hash_and_never_printed() {
        let secret = Secret::generate(SERVICE_ACCOUNT).unwrap();
        assert!(secret.is(&secret.hash()));
        assert!(!Secret::generate(SERVICE_ACCOUNT).unwrap().is(&secret.hash()));
        assert!(!secret.is(&[]));
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }

    #[test]
    fn a_password_is_recognised_by_its_slow_hash() {
        let password = Secret::password().unwrap();
        let hash = password.slow_hash().unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password.is_password(&hash));
        assert!(!Secret::from("other".to_owned()).is_password(&hash));
        assert!(!password.is_password("nonsense"));
    }
}
