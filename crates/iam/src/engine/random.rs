//! Randomness of the operating system.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatewright_policy::Region;
use zeroize::Zeroize;

use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::{Secret, checksum};

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], IamError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(IamError::internal)?;
    Ok(bytes)
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
        Ok(Self::from(text))
    }

    /// A password for the owner of a new account.
    pub fn password() -> Result<Self, IamError> {
        let mut bits = random::<15>()?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bits);
        bits.zeroize();
        Ok(Self::from(text))
    }
}

impl QueryId {
    /// Another one for each request.
    pub fn random(region: Region) -> Self {
        Self::new(region, fastrand::u128(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::SERVICE_ACCOUNT;

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

    #[test]
    fn no_two_requests_are_called_the_same() {
        let (one, other) = (QueryId::random(Region::Ca), QueryId::random(Region::Ca));
        assert_ne!(one, other);
        assert_eq!(one.to_string().len(), "CA.ext-".len() + 32);
    }
}
