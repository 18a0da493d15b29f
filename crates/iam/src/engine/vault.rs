//! The vault: seals the signing keys under the master key.

use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatewright_store::StoreError;
use zeroize::{Zeroize, Zeroizing};

use crate::model::error::IamError;
use crate::sources::Sources;

/// Errors of the master key and the signing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file of the master key does not exist.
    #[error(
        "the master key file {} is missing; put it back, or let a new installation make one with \
         `gatewright key create --file {}`", .0.display(), .0.display()
    )]
    Missing(PathBuf),
    /// The file of the master key cannot be read or created.
    #[error("the master key file {} cannot be read or created: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file does not hold a master key.
    #[error("the master key file {} must hold 32 bytes in base64", .0.display())]
    Malformed(PathBuf),
    /// The keys in the database are sealed under another master key.
    #[error("the signing keys in the database were sealed under another master key: use that one")]
    OtherMaster,
    /// The database holds no signing key: the keys were deleted outside the server.
    #[error("there is no signing key in the database")]
    None,
    /// The cryptographic library failed.
    #[error("a signing key could not be made")]
    Crypto,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The random generator of the system failed.
    #[error(transparent)]
    Random(#[from] IamError),
}

impl From<aws_lc_rs::error::Unspecified> for KeyError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

impl From<aws_lc_rs::error::KeyRejected> for KeyError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::Crypto
    }
}

/// The master key, under which the signing keys are sealed. It is never in the database.
pub struct MasterKey {
    sealing: RandomizedNonceKey,
    /// Derived from the master key, so that each key has one use.
    fingerprints: hmac::Key,
}

/// The purpose that the key of fingerprints is derived for (NIST SP 800-108, one block of HMAC).
const FINGERPRINTS: &[u8] = b"gatewright fingerprints";

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Warns of a key file that others than its owner can read.
fn warn_if_shared(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            let (file, mode) = (path.display(), format!("{:03o}", mode & 0o777));
            tracing::warn!(%file, mode, "others can read the master key: run chmod 600");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

impl MasterKey {
    /// Reads a master key from its file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed(path.to_owned());
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyError::Missing(path.to_owned()));
            }
            text => text.map_err(|source| KeyError::File { path: path.to_owned(), source })?,
        };
        warn_if_shared(path);
        let text = Zeroizing::new(text);
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        let bytes = Zeroizing::new(bytes);
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| malformed())?;
        let derived = hmac::sign(&hmac::Key::new(HMAC_SHA256, &bytes), FINGERPRINTS);
        Ok(Self { sealing, fingerprints: hmac::Key::new(HMAC_SHA256, derived.as_ref()) })
    }

    /// Creates a master key in a new file that only its owner can read.
    pub fn create(path: &Path, sources: &Sources) -> Result<(), KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        let mut bytes = sources.bytes::<32>()?;
        let text = Zeroizing::new(BASE64_STANDARD.encode(bytes) + "\n");
        bytes.zeroize();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Returns the HMAC-SHA256 of a text, in hexadecimal.
    pub(crate) fn fingerprint(&self, text: &str) -> String {
        hex::encode(hmac::sign(&self.fingerprints, text.as_bytes()))
    }

    pub(crate) fn seal(&self, id: &str, mut key: Vec<u8>) -> Result<Vec<u8>, KeyError> {
        let nonce = self.sealing.seal_in_place_append_tag(Aad::from(id), &mut key)?;
        Ok([nonce.as_ref().as_slice(), &key].concat())
    }

    pub(crate) fn open(&self, id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::OtherMaster)?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::from(nonce);
        let opened = self.sealing.open_in_place(nonce, Aad::from(id), &mut rest);
        let length = opened.map_err(|_| KeyError::OtherMaster)?.len();
        rest.truncate(length);
        Ok(rest)
    }
}
