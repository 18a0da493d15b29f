//! The keys that sign tokens, and the master key that they are sealed under.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use gatewright_store::{SealedKey, Store, StoreError};
use jsonwebtoken::DecodingKey;
use serde::Serialize;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use crate::error::IamError;
use crate::secret::{random, sha256};

/// The media type of access tokens (RFC 9068, section 2.1).
pub(super) const TYPE: &str = "at+jwt";

/// The media type of ID tokens.
pub(super) const ID_TYPE: &str = "JWT";

/// What tokens are signed with, as JOSE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256; every common verifier knows it.
    #[default]
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA of 2048 bits with PKCS #1 v1.5.
    Rs256,
}

impl Algorithm {
    /// The text of it in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) const fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Es256, Self::EdDsa, Self::Rs256];
        let known = known.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text} is none of ES256, EdDSA, RS256"))
    }
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file of the master key is not there.
    #[error(
        "the master key file {} is missing; put it back, or let a new installation make one with \
         `gatewright key create --file {}`", .0.display(), .0.display()
    )]
    Missing(PathBuf),
    /// The file of the master key cannot be read or made.
    #[error("the master key file {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold a master key.
    #[error("the master key file {} must hold 32 bytes in base64", .0.display())]
    Malformed(PathBuf),
    /// The keys in the database were sealed under another master key.
    #[error("the signing keys in the database were sealed under another master key: use that one")]
    OtherMaster,
    /// Somebody took the keys out of the database.
    #[error("there is no signing key in the database")]
    None,
    /// The cryptographic library refused.
    #[error("a signing key could not be made")]
    Crypto,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's random generator.
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

/// What the signing keys are sealed under. It is never in the database.
pub struct MasterKey(RandomizedNonceKey);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
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
        let text = Zeroizing::new(text);
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        let bytes = Zeroizing::new(bytes);
        RandomizedNonceKey::new(&AES_256_GCM, &bytes).map(Self).map_err(|_| malformed())
    }

    /// Makes a master key in a new file that its owner alone can read.
    pub fn create(path: &Path) -> Result<(), KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        let mut bytes = random::<32>()?;
        let text = Zeroizing::new(BASE64_STANDARD.encode(bytes) + "\n");
        bytes.zeroize();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    pub(super) fn seal(&self, id: &str, mut key: Vec<u8>) -> Result<Vec<u8>, KeyError> {
        let nonce = self.0.seal_in_place_append_tag(Aad::from(id), &mut key)?;
        Ok([nonce.as_ref().as_slice(), &key].concat())
    }

    pub(super) fn open(&self, id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::OtherMaster)?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::from(nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(id), &mut rest);
        let length = opened.map_err(|_| KeyError::OtherMaster)?.len();
        rest.truncate(length);
        Ok(rest)
    }
}

/// A private key.
enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// The key that new tokens are signed with.
///
/// The key pair is kept ready: reading it anew for each token would cost more than the signature.
pub(super) struct SigningKey {
    id: String,
    /// The first part of every access token that it signs.
    header: String,
    private: Private,
}

/// What checks the tokens of one key.
#[derive(Clone)]
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
    pub(super) jwk: serde_json::Value,
}

impl Private {
    fn generate(algorithm: Algorithm) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        Ok(match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
                pair.as_ref().to_vec()
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random)?.as_ref().to_vec(),
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048)?;
                AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?.as_ref().to_vec()
            }
        })
    }

    fn read(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        Ok(match algorithm {
            Algorithm::Es256 => {
                Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?)
            }
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::from_pkcs8(pkcs8)?),
            Algorithm::Rs256 => Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(pkcs8)?)),
        })
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::Es256(pair) => pair.public_key().as_ref(),
            Self::EdDsa(pair) => pair.public_key().as_ref(),
            Self::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    /// The public half, as others check by it (RFC 7518, section 6; RFC 8037).
    fn public_key(&self, id: &str) -> Result<PublicKey, KeyError> {
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let algorithm = self.algorithm();
        let (mut jwk, decoding) = match self {
            Self::Es256(pair) => {
                // An uncompressed point: a byte that says so, then the two coordinates.
                let point = pair.public_key().as_ref().split_first().map(|(_, rest)| rest);
                let (x, y) =
                    point.and_then(|xy| xy.split_at_checked(32)).ok_or(KeyError::Crypto)?;
                let (x, y) = (text(x), text(y));
                let decoding = DecodingKey::from_ec_components(&x, &y);
                (json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}), decoding)
            }
            Self::EdDsa(pair) => {
                let x = text(pair.public_key().as_ref());
                let decoding = DecodingKey::from_ed_components(&x);
                (json!({"kty": "OKP", "crv": "Ed25519", "x": x}), decoding)
            }
            Self::Rs256(pair) => {
                let n = text(pair.public_key().modulus().big_endian_without_leading_zero());
                let e = text(pair.public_key().exponent().big_endian_without_leading_zero());
                let decoding = DecodingKey::from_rsa_components(&n, &e);
                (json!({"kty": "RSA", "n": n, "e": e}), decoding)
            }
        };
        for (field, value) in [("use", "sig"), ("alg", algorithm.as_str()), ("kid", id)] {
            if let Some(jwk) = jwk.as_object_mut() {
                jwk.insert(field.to_owned(), value.into());
            }
        }
        let decoding = decoding.map_err(|_| KeyError::Crypto)?;
        Ok(PublicKey { algorithm, decoding, jwk })
    }
}

impl SigningKey {
    pub(super) fn open(master: &MasterKey, sealed: &SealedKey) -> Result<Self, KeyError> {
        let algorithm = sealed.algorithm.parse().map_err(|_| KeyError::Crypto)?;
        let pkcs8 = master.open(&sealed.id, &sealed.sealed)?;
        let private = Private::read(algorithm, &pkcs8)?;
        let header = header(TYPE, algorithm, &sealed.id);
        Ok(Self { id: sealed.id.clone(), header, private })
    }

    /// Makes a key and keeps it; answers its identifier.
    pub(super) async fn create(
        store: &Store,
        master: &MasterKey,
        algorithm: Algorithm,
        now: i64,
    ) -> Result<String, KeyError> {
        let pkcs8 = Private::generate(algorithm)?;
        let [hash @ .., _] = sha256(Private::read(algorithm, &pkcs8)?.public());
        let id = BASE64_URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default());
        let sealed = master.seal(&id, pkcs8)?;
        let algorithm = algorithm.as_str().to_owned();
        let sealed = SealedKey { id: id.clone(), algorithm, sealed, created: now };
        store.add_key(&sealed).await?;
        Ok(id)
    }

    pub(super) fn public_key(&self) -> Result<PublicKey, KeyError> {
        self.private.public_key(&self.id)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.private.algorithm()
    }

    /// Signs an access token (RFC 9068).
    pub(super) fn access_token(&self, claims: &impl Serialize) -> Result<String, IamError> {
        self.token(&self.header, claims)
    }

    /// Signs an ID token (`OpenID` Connect Core 1.0, section 2).
    pub(super) fn id_token(&self, claims: &impl Serialize) -> Result<String, IamError> {
        self.token(&header(ID_TYPE, self.algorithm(), &self.id), claims)
    }

    fn token(&self, header: &str, claims: &impl Serialize) -> Result<String, IamError> {
        let mut token = String::with_capacity(768);
        token.push_str(header);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IamError> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Es256(pair) => {
                let signature = pair.sign(&random, message).map_err(IamError::internal)?;
                Ok(signature.as_ref().to_vec())
            }
            Private::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Private::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(IamError::internal)?;
                Ok(signature)
            }
        }
    }
}

/// The first part of a token.
fn header(kind: &str, algorithm: Algorithm, id: &str) -> String {
    let header = json!({"typ": kind, "alg": algorithm.as_str(), "kid": id});
    BASE64_URL_SAFE_NO_PAD.encode(header.to_string())
}
