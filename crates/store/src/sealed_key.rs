//! The signing keys of tokens, as they are stored.

use gatewright_policy::Instant;

use crate::row::from_row;

/// A private key, sealed under a master key that the database does not hold.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its identifier, the `kid` of its tokens.
    pub id: String,
    /// The signature algorithm, by its JOSE name.
    pub algorithm: String,
    /// The encrypted key.
    pub sealed: Vec<u8>,
    /// The time of its creation.
    pub created: Instant,
}

from_row!(SealedKey: id, algorithm, sealed, created as Instant);

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
