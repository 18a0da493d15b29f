//! Replaces identities by a keyed hash in lookups of decisions.
//!
//! Invariants:
//! - Equality of the hash counts as equality of identities, so it is made by one function, of
//!   canonical URNs only.
//! - Its key is drawn at random by each process. Neither key nor hash is ever stored, sent or
//!   logged.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use highway::{HighwayHash, HighwayHasher, Key};

use crate::identity::Identity;

/// The keyed hash of an identity's canonical URN, by which policies are looked up: 128 bits, under a
/// key that each process draws anew and that never leaves it.
///
/// Two identities collide with a chance of 2⁻¹²⁸, and without the key nobody can search for a
/// collision. So the URN itself, a cache miss away, need not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdentityHash([u64; 2]);

impl IdentityHash {
    /// Hashes the canonical URN of an identity.
    ///
    /// The key belongs to the process and is not passed in: a caller and a policy set with
    /// different keys would not match, and a deny would be missed. No decision depends on the value
    /// of the key.
    pub(crate) fn of(urn: &str) -> Self {
        static SECRET: LazyLock<[u64; 4]> = LazyLock::new(|| {
            // Its own keys come from the operating system's randomness.
            let random = RandomState::new();
            [0, 1, 2, 3].map(|part: u8| random.hash_one(part))
        });
        Self(HighwayHasher::new(Key(*SECRET)).hash128(urn.as_bytes()))
    }
}

impl IdentityHash {
    /// Returns half of it.
    pub(crate) fn half(self) -> u64 {
        let Self([half, _]) = self;
        half
    }
}

impl Hash for IdentityHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.half());
    }
}

/// An identity of a caller, with its hash.
#[derive(Debug, Clone)]
pub(crate) struct HashedIdentity {
    pub(crate) urn: Arc<str>,
    pub(crate) key: IdentityHash,
}

impl From<&Identity> for HashedIdentity {
    fn from(identity: &Identity) -> Self {
        let urn = identity.shared_urn();
        Self { key: IdentityHash::of(&urn), urn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_identity_has_the_same_key_each_time_and_no_other_has_it(
            one in "\\PC{0,40}",
            other in "\\PC{0,40}",
        ) {
            prop_assert_eq!(IdentityHash::of(&one), IdentityHash::of(&one));
            prop_assert_eq!(IdentityHash::of(&one) == IdentityHash::of(&other), one == other);
        }
    }
}
