//! Signs access tokens (JWTs after RFC 9068), verifies them, and caches those it found valid.
//!
//! Invariants:
//! - Only what a token proves for good is cached. Its validity (expiry, revocation) is checked at
//!   each use, in `core::authenticate`.
//! - The key of the cache is made of the whole token, under a key that never leaves the process.
//! - The cache is cleared when a signing key is removed, and a token that was verified meanwhile is
//!   taken out again.

pub(crate) mod sealing;

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gatewright_policy::{Caller, ClientId, Identity, Instant, Region, TokenId};
use gatewright_store::{CauseChain, Store};
use highway::{HighwayHash, HighwayHasher, Key};
use jsonwebtoken::{Validation, decode, decode_header};
use quick_cache::sync::Cache;
use serde::Deserialize;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use crate::engine::claims::Claims;
use crate::engine::key::{ID_TYPE, PublicKey, SigningKey, TYPE, jose};
use crate::engine::keyring::Keyring;
use crate::engine::vault::{KeyError, MasterKey};
use crate::engine::weight::ByBytes;
use crate::model::caller::{Principal, PrincipalKind, Token};
use crate::model::error::IamError;
use crate::model::scope;
use crate::model::settings::Settings;
use crate::model::token::{Algorithm, KeyRotation, NEVER, Verified};
use crate::sources::Sources;

/// The maximum length of a token, in bytes.
pub(crate) const MAX_LENGTH: usize = 4096;

/// Minimum interval between two look-ups of unknown keys in the database.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(1);

/// Interval between two reloads of all keys.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);

/// The memory for verified tokens, in bytes.
pub(crate) const VERIFIED_BYTES: u64 = 128 * 1024 * 1024;

/// The cache key of a token: a keyed hash of the whole token, of 256 bits.
///
/// No two tokens share theirs but by a chance of 2⁻²⁵⁶, and without the key nobody can search for
/// two that do.
type TokenHash = [u64; 4];

/// Signs tokens, and caches those it found valid.
pub(crate) struct Tokens {
    store: Store,
    sources: Sources,
    master: MasterKey,
    region: Region,
    pub(crate) issuer: String,
    algorithm: Algorithm,
    key_days: Option<u32>,
    keys: ArcSwap<Keyring>,
    /// The time of the last look-up of an unknown key. It is held while the keys are read and
    /// replaced.
    reloaded: Mutex<Duration>,
    /// Notifies of a key that was created or deleted in the database.
    keys_changed: Notify,
    /// The number of the keys in the database, and the creation time of the newest.
    keys_seen: std::sync::Mutex<(i64, i64)>,
    /// Principals of verified tokens, by the keyed hash of the token.
    verified: Cache<TokenHash, Arc<Principal>, ByBytes>,
    /// The key of these hashes. It is generated anew by each process and never leaves it.
    hash_key: Key,
}

impl Tokens {
    /// Opens the keyring, and creates a key of the configured algorithm when there is none.
    pub(crate) async fn open(
        store: &Store,
        master: MasterKey,
        settings: &Settings,
        sources: Sources,
    ) -> Result<Self, KeyError> {
        let (algorithm, key_days) = (settings.algorithm, settings.key_days);
        let times = (sources.earliest(), sources.settled());
        let keys = Keyring::maintain(store, &master, algorithm, key_days, times).await?;
        let mut hash_key = TokenHash::default();
        for part in &mut hash_key {
            *part = u64::from_ne_bytes(sources.bytes()?);
        }
        Ok(Self {
            store: store.clone(),
            reloaded: Mutex::new(sources.monotonic()),
            sources,
            master,
            region: settings.region,
            issuer: settings.public_url.clone(),
            algorithm,
            key_days,
            keys: ArcSwap::from_pointee(keys),
            keys_changed: Notify::new(),
            keys_seen: std::sync::Mutex::default(),
            verified: Cache::with_weighter(100_000, VERIFIED_BYTES, ByBytes),
            hash_key: Key(hash_key),
        })
    }

    /// Starts the task that rotates the keys and follows the rotations of other nodes, until it is
    /// aborted.
    pub(crate) fn run(self: &Arc<Self>) -> JoinHandle<()> {
        let tokens = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                // Another process may have created or deleted a key, which counts at once.
                let _ = tokio::time::timeout(RELOAD_INTERVAL, tokens.keys_changed.notified()).await;
                // An older reading must not replace a newer one.
                let _turn = tokens.reloaded.lock().await;
                let (store, master) = (&tokens.store, &tokens.master);
                let (algorithm, days) = (tokens.algorithm, tokens.key_days);
                let times = (tokens.sources.earliest(), tokens.sources.settled());
                match Keyring::maintain(store, master, algorithm, days, times).await {
                    Ok(keys) => tokens.replace_keys(keys),
                    Err(error) => {
                        tracing::warn!(error = %CauseChain(&error), "the signing keys cannot be read");
                    }
                }
            }
        })
    }

    /// Notifies of a key that was created or deleted in the database.
    pub(crate) fn keys_changed(&self) {
        self.keys_changed.notify_one();
    }

    /// Takes note of the keys in the database: their number, and the creation time of the newest.
    pub(crate) fn observe_keys(&self, keys: (i64, i64)) {
        let mut seen = self.keys_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != keys {
            *seen = keys;
            self.keys_changed();
        }
    }

    fn replace_keys(&self, keys: Keyring) {
        let before = self.keys.swap(Arc::new(keys));
        for key in self.keys.load().beyond(&before) {
            tracing::info!(key, "a signing key was added");
        }
        for key in before.beyond(&self.keys.load()) {
            tracing::info!(key, "a signing key was removed");
        }
        if !self.keys.load().holds_all_of(&before) {
            self.verified.clear();
        }
    }

    /// Creates a new signing key; returns its identifier.
    pub(crate) async fn rotate(&self, rotation: KeyRotation) -> Result<String, KeyError> {
        let now = self.sources.earliest();
        Keyring::rotate(&self.store, &self.master, self.algorithm, rotation, now).await
    }

    /// Calls a function with the key that signs at an instant.
    pub(crate) fn signing<T>(
        &self,
        at: Instant,
        sign: impl FnOnce(&SigningKey) -> Result<T, IamError>,
    ) -> Result<T, IamError> {
        let keys = self.keys.load();
        // A clock that jumps ahead must not make a key sign before others know it.
        let signer = keys.signer(at.min(self.sources.earliest()));
        sign(&signer.ok_or_else(|| IamError::internal(KeyError::None))?.key)
    }

    /// Verifies an access token, checking its signature once; fails with an error for an invalid
    /// token.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Principal>, IamError> {
        if token.len() > MAX_LENGTH {
            return Err(IamError::BadCredential);
        }
        let hash = HighwayHasher::new(self.hash_key).hash256(token.as_bytes());
        if let Some(verified) = self.verified.get(&hash) {
            return Ok(verified);
        }
        // Boxed, since the future is large and rarely needed.
        let (claims, id) = Box::pin(self.read(token, TYPE)).await?;
        let verified = Arc::new(self.verified(&claims).ok_or(IamError::BadCredential)?);
        self.verified.insert(hash, Arc::clone(&verified));
        if self.keys.load().public(&id).is_none() {
            // The key was removed while the token was verified.
            self.verified.remove(&hash);
            return Err(IamError::BadCredential);
        }
        Ok(verified)
    }

    /// Verifies an ID token; returns it with the project that its roles are on. An ID token
    /// authenticates nobody: it can only be introspected.
    pub(crate) async fn verify_id_token(
        &self,
        token: &str,
    ) -> Result<(Principal, Option<String>), IamError> {
        if token.len() > 2 * MAX_LENGTH {
            return Err(IamError::BadCredential);
        }
        let (claims, _) = self.read(token, ID_TYPE).await?;
        let verified = self.verified(&claims).ok_or(IamError::BadCredential)?;
        let text = |claim| claims.get(claim).and_then(serde_json::Value::as_str);
        if text("aud") != text("client_id") {
            return Err(IamError::BadCredential);
        }
        Ok((verified, text("resource").map(str::to_owned)))
    }

    /// Verifies the signature of a token of a type; returns its claims and the identifier of its
    /// key.
    async fn read(&self, token: &str, kind: &str) -> Result<(serde_json::Value, String), IamError> {
        let bad = |_| IamError::BadCredential;
        let header = decode_header(token).map_err(bad)?;
        if header.typ.as_deref() != Some(kind) {
            return Err(IamError::BadCredential);
        }
        let id = header.kid.ok_or(IamError::BadCredential)?;
        let key = match self.keys.load().public(&id) {
            Some(key) => key.clone(),
            None => self.reload(&id).await?.ok_or(IamError::BadCredential)?,
        };
        let mut validation = Validation::new(jose(key.algorithm));
        validation.leeway = 0;
        // The expiry is checked at each use, in `core::authenticate`.
        validation.validate_exp = false;
        validation.set_issuer(&[&self.issuer]);
        // The audience of an ID token is its client alone.
        validation.validate_aud = kind == TYPE;
        validation.set_audience(&[&self.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        let claims = decode::<serde_json::Value>(token, &key.decoding, &validation).map_err(bad)?;
        Ok((claims.claims, id))
    }

    fn verified(&self, claims: &serde_json::Value) -> Option<Principal> {
        let claims = Claims::deserialize(claims).ok()?;
        let client_id = ClientId::new(claims.client_id);
        let token = Token::Access(Verified {
            client_id: client_id.clone(),
            id: TokenId::new(claims.jti),
            scope: claims.scope.into(),
            issued: Instant::from_seconds(claims.iat),
            expires: Instant::from_seconds(claims.exp),
            noted: AtomicI64::new(0),
            admitted: AtomicU64::new(NEVER),
        });
        self.principal(claims.sub, &client_id, claims.scope, token)
    }

    /// Returns the principal of a token: a service account. No other identity has access tokens.
    pub(crate) fn principal(
        &self,
        sub: &str,
        client_id: &ClientId,
        scope: &str,
        token: Token,
    ) -> Option<Principal> {
        let identity = Identity::parse(sub, self.region).ok()?;
        let account = identity.account();
        if identity != Identity::service_account(self.region, account, client_id) {
            return None;
        }
        let scope = scope::read(scope)?;
        let caller = Caller::new(self.region, account, &identity, &[], scope);
        let kind = PrincipalKind::ServiceAccount;
        Some(Principal { kind, identity, caller, token })
    }

    /// Reloads the keyring for an unknown key, which another node may have created a moment ago.
    async fn reload(&self, id: &str) -> Result<Option<PublicKey>, IamError> {
        let mut reloaded = self.reloaded.lock().await;
        if self.sources.monotonic().saturating_sub(*reloaded) > UNKNOWN_KEY_INTERVAL {
            let (algorithm, settled) = (self.algorithm, self.sources.settled());
            let keys = Keyring::load(&self.store, &self.master, algorithm, settled).await;
            self.replace_keys(keys.map_err(IamError::internal)?);
            *reloaded = self.sources.monotonic();
        }
        Ok(self.keys.load().public(id).cloned())
    }

    /// Returns the fingerprint of a text under the master key: equal for equal texts, and of no use to
    /// whoever has the database alone.
    pub(crate) fn fingerprint(&self, text: &str) -> String {
        self.master.fingerprint(text)
    }

    /// Returns the public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self) -> serde_json::Value {
        self.keys.load().jwks()
    }
}
