//! Signing keys of tokens: their creation, signatures and public keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatewright_policy::Instant;
use gatewright_store::{SealedKey, Store};
use jsonwebtoken::DecodingKey;
use serde::Serialize;
use serde_json::json;

use crate::engine::vault::{KeyError, MasterKey};
use crate::model::error::IamError;
use crate::model::secret::sha256;
use crate::model::token::Algorithm;

/// The media type of access tokens (RFC 9068, section 2.1).
pub(crate) const TYPE: &str = "at+jwt";

/// The media type of identity assertions, which nothing but a guarded API may accept (RFC 8725,
/// section 3.11).
const ASSERTION_TYPE: &str = "assertion+jwt";

/// The media type of ID tokens.
pub(crate) const ID_TYPE: &str = "JWT";

/// A private key.
enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// A private key that signs new tokens.
///
/// The key pair is kept parsed: parsing it for each token would cost more than the signature.
pub(crate) struct SigningKey {
    id: String,
    /// The encoded header of every access token that the key signs.
    header: String,
    /// The encoded header of every identity assertion that the key signs.
    assertion_header: String,
    private: Private,
}

/// A public key that verifies the tokens of one signing key.
#[derive(Clone)]
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
    pub(crate) jwk: serde_json::Value,
}

impl Private {
    fn generate(algorithm: Algorithm) -> Result<Vec<u8>, KeyError> {
        let random = generator();
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

    /// Returns the public key as a JWK (RFC 7518, section 6; RFC 8037).
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
    pub(crate) fn open(master: &MasterKey, sealed: &SealedKey) -> Result<Self, KeyError> {
        let algorithm = sealed.algorithm.parse().map_err(|_| KeyError::Crypto)?;
        let pkcs8 = master.open(&sealed.id, &sealed.sealed)?;
        let private = Private::read(algorithm, &pkcs8)?;
        let header = header(TYPE, algorithm, &sealed.id);
        let assertion_header = self::header(ASSERTION_TYPE, algorithm, &sealed.id);
        Ok(Self { id: sealed.id.clone(), header, assertion_header, private })
    }

    /// Creates a signing key and stores it sealed; returns its identifier.
    pub(crate) async fn create(
        store: &Store,
        master: &MasterKey,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<String, KeyError> {
        let pkcs8 = Private::generate(algorithm)?;
        let hash = sha256(Private::read(algorithm, &pkcs8)?.public());
        let id = BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).ok_or(KeyError::Crypto)?);
        let sealed = master.seal(&id, pkcs8)?;
        let algorithm = algorithm.as_str().to_owned();
        let sealed = SealedKey { id: id.clone(), algorithm, sealed, created: now };
        store.add_key(&sealed).await?;
        Ok(id)
    }

    pub(crate) fn public_key(&self) -> Result<PublicKey, KeyError> {
        self.private.public_key(&self.id)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.private.algorithm()
    }

    /// Signs an access token (RFC 9068).
    pub(crate) fn access_token(&self, claims: &impl Serialize) -> Result<String, IamError> {
        self.token(&self.header, claims)
    }

    /// Signs an ID token (`OpenID` Connect Core 1.0, section 2).
    pub(crate) fn id_token(&self, claims: &impl Serialize) -> Result<String, IamError> {
        self.token(&header(ID_TYPE, self.algorithm(), &self.id), claims)
    }

    /// Signs the identity assertion of a request to a guarded API.
    pub(crate) fn assertion(&self, claims: &impl Serialize) -> Result<String, IamError> {
        self.token(&self.assertion_header, claims)
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
        let random = generator();
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

/// Returns the random generator of the cryptographic library, which accepts no other.
#[expect(clippy::disallowed_methods, reason = "keys and signatures are made by the library alone")]
fn generator() -> SystemRandom {
    SystemRandom::new()
}

/// Converts an algorithm to the type of the JWT library.
pub(crate) const fn jose(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

/// Encodes the header of a JWT.
pub(crate) fn header(kind: &str, algorithm: Algorithm, id: &str) -> String {
    let header = json!({"typ": kind, "alg": algorithm.as_str(), "kid": id});
    BASE64_URL_SAFE_NO_PAD.encode(header.to_string())
}
