//! Access tokens: JWTs after RFC 9068, signed here, accepted while their identity lives.

mod grant;
mod key;
mod scope;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatewright_policy::{Caller, Identity, Plate};
use gatewright_store::Store;
use jsonwebtoken::{Validation, decode, decode_header};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::caller::{Principal, PrincipalKind};
use crate::error::IamError;
use crate::iam::Settings;
use crate::secret::sha256;
use key::{PublicKey, SigningKey};

pub use grant::{Grant, Introspection, Issued, TokenError};
pub use key::{Algorithm, KeyError, MasterKey};

/// How long a token lives, in seconds; what is said is a second less, as everywhere in the field.
const LIFETIME: i64 = 3600;

/// What a browser was given to bring back is good for so long, in microseconds.
const STATE_LIFETIME: i64 = 600_000_000;

/// No token of ours is longer.
const MAX_LENGTH: usize = 4096;

/// The media type of access tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// Unknown keys are looked up in the database at most so often.
const RELOAD: Duration = Duration::from_secs(1);

/// What a token says (RFC 9068, section 2.2).
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    /// The URN of the identity.
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    scope: &'a str,
}

/// A token whose signature, issuer, audience and form were found good. Whether it still counts is
/// asked each time it is used.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) principal: Arc<Principal>,
    client_id: String,
    id: Arc<str>,
    scope: String,
    /// Seconds since 1970.
    issued: i64,
    /// Seconds since 1970.
    expires: i64,
    /// When it was last noted that the token is used: microseconds since 1970, UTC.
    noted: AtomicI64,
}

/// What is remembered of a revoked token.
#[derive(Serialize, Deserialize)]
pub(crate) struct RevokedDocument {
    /// When it would have expired by itself: microseconds since 1970, UTC.
    pub(crate) expires: i64,
}

/// Signs tokens, and remembers which it found good.
pub(crate) struct Tokens {
    store: Store,
    master: MasterKey,
    plate: Plate,
    issuer: String,
    signing: SigningKey,
    /// The first part of every token.
    header: String,
    keys: ArcSwap<HashMap<String, PublicKey>>,
    reloaded: Mutex<Instant>,
    /// By the SHA-256 of the whole token.
    verified: Cache<[u8; 32], Arc<Verified>>,
}

impl Tokens {
    /// Opens the keys, and makes one of the wanted algorithm when there is none.
    pub(crate) async fn open(
        store: &Store,
        master: MasterKey,
        settings: &Settings,
    ) -> Result<Self, KeyError> {
        let signing = SigningKey::open(store, &master, settings.algorithm).await?;
        let keys = key::public_keys(store, &master).await?;
        let header = serde_json::json!({
            "typ": TYPE,
            "alg": signing.algorithm().as_str(),
            "kid": signing.id(),
        });
        Ok(Self {
            store: store.clone(),
            master,
            plate: settings.plate,
            issuer: settings.public_url.clone(),
            header: BASE64_URL_SAFE_NO_PAD.encode(header.to_string()),
            signing,
            keys: ArcSwap::from_pointee(keys),
            reloaded: Mutex::new(Instant::now()),
            verified: Cache::new(100_000),
        })
    }

    fn sign(&self, claims: &Claims<'_>) -> Result<String, IamError> {
        let mut token = String::with_capacity(768);
        token.push_str(&self.header);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self.signing.sign(token.as_bytes())?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Reads a token, and checks its signature once.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Verified>, IamError> {
        if token.len() > MAX_LENGTH {
            return Err(IamError::BadCredential);
        }
        let key = sha256(token.as_bytes());
        if let Some(verified) = self.verified.get(&key) {
            return Ok(verified);
        }
        let verified = Arc::new(self.read(token).await?);
        self.verified.insert(key, Arc::clone(&verified));
        Ok(verified)
    }

    async fn read(&self, token: &str) -> Result<Verified, IamError> {
        let bad = |_| IamError::BadCredential;
        let header = decode_header(token).map_err(bad)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(IamError::BadCredential);
        }
        let id = header.kid.ok_or(IamError::BadCredential)?;
        let key = match self.keys.load().get(&id) {
            Some(key) => key.clone(),
            None => self.reload(&id).await?.ok_or(IamError::BadCredential)?,
        };
        let mut validation = Validation::new(key.algorithm.jose());
        validation.leeway = 0;
        // The gate looks at it, each time.
        validation.validate_exp = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        let claims = decode::<serde_json::Value>(token, &key.decoding, &validation).map_err(bad)?;
        let claims = Claims::deserialize(&claims.claims).map_err(|_| IamError::BadCredential)?;
        self.verified(&claims).ok_or(IamError::BadCredential)
    }

    fn verified(&self, claims: &Claims<'_>) -> Option<Verified> {
        let identity = Identity::parse(claims.sub, self.plate).ok()?;
        let account = identity.account().to_owned();
        // Only service accounts have tokens, and each its own.
        if identity != Identity::service_account(self.plate, &account, claims.client_id) {
            return None;
        }
        let scope = scope::read(claims.scope)?;
        let caller = Caller::new(self.plate, &account, std::slice::from_ref(&identity), scope);
        let kind = PrincipalKind::ServiceAccount;
        Some(Verified {
            principal: Arc::new(Principal { kind, identity, caller }),
            client_id: claims.client_id.to_owned(),
            id: claims.jti.into(),
            scope: claims.scope.to_owned(),
            issued: claims.iat,
            expires: claims.exp,
            noted: AtomicI64::new(0),
        })
    }

    /// Another node may have made the key a moment ago.
    async fn reload(&self, id: &str) -> Result<Option<PublicKey>, IamError> {
        let mut reloaded = self.reloaded.lock().await;
        if reloaded.elapsed() > RELOAD {
            let keys = key::public_keys(&self.store, &self.master).await;
            self.keys.store(Arc::new(keys.map_err(IamError::internal)?));
            *reloaded = Instant::now();
        }
        Ok(self.keys.load().get(id).cloned())
    }

    /// Seals a secret under the master key, for one purpose.
    pub(crate) fn seal(&self, purpose: &str, secret: Vec<u8>) -> Result<Vec<u8>, IamError> {
        self.master.seal(purpose, secret).map_err(IamError::internal)
    }

    /// What was sealed for the purpose; none where it was sealed otherwise.
    pub(crate) fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.master.open(purpose, sealed).ok()
    }

    /// Seals something for a browser to bring back within some minutes.
    pub(crate) fn seal_state(
        &self,
        purpose: &str,
        state: &[u8],
        now: i64,
    ) -> Result<String, IamError> {
        let mut stamped = now.to_be_bytes().to_vec();
        stamped.extend_from_slice(state);
        let sealed = self.seal(&format!("state {purpose}"), stamped)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed for a browser, if it comes back in time.
    pub(crate) fn open_state(
        &self,
        purpose: &str,
        state: &str,
        now: i64,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(state).ok()?;
        let opened = self.unseal(&format!("state {purpose}"), &sealed)?;
        let (stamp, state) = opened.split_first_chunk::<8>()?;
        let age = now.checked_sub(i64::from_be_bytes(*stamp))?;
        (0..STATE_LIFETIME).contains(&age).then(|| Zeroizing::new(state.to_vec()))
    }

    /// The public keys, as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let mut keys: Vec<serde_json::Value> =
            self.keys.load().values().map(|key| key.jwk.clone()).collect();
        keys.sort_by_key(|key| key.get("kid").map(ToString::to_string));
        serde_json::json!({ "keys": keys })
    }
}
