//! Idempotency keys: a client names its creation, so that a repetition creates nothing more
//! (draft-ietf-httpapi-idempotency-key-header).

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use gatewright_policy::Identity;

/// The time for which a key counts.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);

/// The idempotency key of a request: a hash of the caller and the key, and one of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub(crate) key: String,
    pub(crate) request: String,
}

impl IdempotencyKey {
    /// Creates the key of a request by the parts that tell it from others.
    pub fn new(caller: &Identity, key: &str, request: &[&[u8]]) -> Self {
        let key = hash(&[caller.urn().as_bytes(), key.as_bytes()]);
        Self { key, request: hash(request) }
    }
}

/// Hashes texts with their lengths, so that no two lists of texts are alike.
fn hash(texts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for text in texts {
        context.update(&text.len().to_be_bytes());
        context.update(text);
    }
    hex::encode(context.finish())
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{AccountName, Login, Region};

    use super::*;

    #[test]
    fn callers_keys_and_requests_are_told_apart() {
        let caller = |login: &str| {
            Identity::user(Region::Eu, &AccountName::new("aa1-ovh"), &Login::new(login))
        };
        let one = IdempotencyKey::new(&caller("a"), "k", &[b"POST", b"/x", b"{}"]);
        assert_eq!(one, IdempotencyKey::new(&caller("a"), "k", &[b"POST", b"/x", b"{}"]));
        for other in [
            IdempotencyKey::new(&caller("b"), "k", &[b"POST", b"/x", b"{}"]),
            IdempotencyKey::new(&caller("a"), "l", &[b"POST", b"/x", b"{}"]),
        ] {
            assert_ne!(one.key, other.key);
            assert_eq!(one.request, other.request);
        }
        let other = IdempotencyKey::new(&caller("a"), "k", &[b"POST", b"/", b"x{}"]);
        assert_eq!(one.key, other.key);
        assert_ne!(one.request, other.request);
    }
}
