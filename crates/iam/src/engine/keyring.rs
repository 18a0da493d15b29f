//! The keyring of an installation: the key that signs now, and those that still verify tokens.

use std::collections::HashMap;
use std::time::Duration;

use gatewright_policy::Instant;
use gatewright_store::{SealedKey, Store};

use crate::engine::key::{PublicKey, SigningKey};
use crate::engine::vault::{KeyError, MasterKey};
use crate::model::skew::{CLOCK_SKEW, is_from_future};
use crate::model::token::{Algorithm, KeyRotation, LIFETIME};

/// Time between the publication of a new key and its first signature: by then every resource server
/// that verifies tokens by itself has it.
const LEAD: Duration = Duration::from_hours(1);

/// Time for which a key stays published after its successor took over: until the last token that it
/// signed has expired, by the clock of every node.
const KEPT: Duration = LIFETIME.saturating_add(CLOCK_SKEW);

const DAY: Duration = Duration::from_hours(24);

/// A key that signs, or will sign.
pub(crate) struct Signer {
    /// The time at which it takes over.
    from: Instant,
    created: Instant,
    pub(crate) key: SigningKey,
}

/// All valid keys, as they were in the database a moment ago.
#[derive(Default)]
pub(crate) struct Keyring {
    public: HashMap<String, PublicKey>,
    /// Keys of the algorithm that signs new tokens, oldest first.
    signers: Vec<Signer>,
    /// Identifiers of the keys that no token needs any more.
    over: Vec<String>,
}

impl Keyring {
    pub(crate) async fn load(
        store: &Store,
        master: &MasterKey,
        algorithm: Algorithm,
        settled: Option<Instant>,
    ) -> Result<Self, KeyError> {
        let mut sealed = store.keys().await?;
        let over = settled.map(|settled| over(&sealed, settled)).unwrap_or_default();
        sealed.retain(|one| !over.contains(&one.id));
        let mut ring = Self { over, ..Self::default() };
        // All keys are opened, so that a wrong master key is detected now.
        for one in &sealed {
            let key = SigningKey::open(master, one)?;
            ring.public.insert(key.id().to_owned(), key.public_key()?);
            if key.algorithm() == algorithm {
                // The oldest has no predecessor, and signs at once.
                let first = ring.signers.is_empty();
                let from = if first { Instant::MIN } else { one.created.saturating_add(LEAD) };
                ring.signers.push(Signer { from, created: one.created, key });
            }
        }
        Ok(ring)
    }

    /// Loads the keyring and performs its key rotation: deletes the keys that are over, and creates
    /// one where there is none, or the newest is older than `days` (in days). While the clock is in
    /// doubt, no key is deleted, and none follows another.
    pub(crate) async fn maintain(
        store: &Store,
        master: &MasterKey,
        algorithm: Algorithm,
        days: Option<u32>,
        (now, settled): (Instant, Option<Instant>),
    ) -> Result<Self, KeyError> {
        let ring = Self::load(store, master, algorithm, settled).await?;
        for id in &ring.over {
            store.delete_key(id).await?;
        }
        let is_due = ring.signers.is_empty()
            || days.zip(settled).is_some_and(|(days, settled)| ring.is_due(days, settled));
        if !is_due {
            return Ok(ring);
        }
        SigningKey::create(store, master, algorithm, now).await?;
        Self::load(store, master, algorithm, settled).await
    }

    /// Returns whether the newest key is older than some days. One that was made by a clock that was
    /// ahead does not count: it will not sign for long.
    fn is_due(&self, days: u32, now: Instant) -> bool {
        let created = self.signers.iter().map(|signer| signer.created);
        let newest = created.filter(|created| !is_from_future(*created, now)).max();
        newest.is_none_or(|created| created.saturating_add(DAY.saturating_mul(days)) <= now)
    }

    /// Creates a signing key; returns its identifier.
    pub(crate) async fn rotate(
        store: &Store,
        master: &MasterKey,
        algorithm: Algorithm,
        rotation: KeyRotation,
        now: Instant,
    ) -> Result<String, KeyError> {
        let before = store.keys().await?;
        let id = SigningKey::create(store, master, algorithm, now).await?;
        if rotation == KeyRotation::Emergency {
            for key in before {
                store.delete_key(&key.id).await?;
            }
        }
        Ok(id)
    }

    /// Returns the key that signs at an instant; none only where the keys were deleted from the
    /// database.
    pub(crate) fn signer(&self, now: Instant) -> Option<&Signer> {
        self.signers.iter().rev().find(|signer| signer.from <= now)
    }

    /// Lists the identifiers of the keys that another keyring lacks.
    pub(crate) fn beyond<'k>(&'k self, other: &'k Self) -> impl Iterator<Item = &'k str> {
        self.public.keys().filter(|id| !other.public.contains_key(*id)).map(String::as_str)
    }

    pub(crate) fn public(&self, id: &str) -> Option<&PublicKey> {
        self.public.get(id)
    }

    /// Returns whether the keyring holds all the keys of another.
    pub(crate) fn holds_all_of(&self, other: &Self) -> bool {
        other.public.keys().all(|id| self.public.contains_key(id))
    }

    /// Returns the public keys as a JWK set (RFC 7517).
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let mut keys: Vec<_> = self.public.iter().collect();
        keys.sort_by_key(|(id, _)| *id);
        let keys: Vec<_> = keys.into_iter().map(|(_, key)| key.jwk.clone()).collect();
        serde_json::json!({ "keys": keys })
    }
}

/// Lists the keys whose successor has been signing for longer than any token lives. They are given
/// oldest first.
fn over(keys: &[SealedKey], now: Instant) -> Vec<String> {
    let mut over = Vec::new();
    let mut rest = keys;
    while let [key, later @ ..] = rest {
        let successor = later.iter().find(|other| other.algorithm == key.algorithm);
        if successor.is_some_and(|successor| successor.created.saturating_add(LEAD + KEPT) <= now) {
            over.push(key.id.clone());
        }
        rest = later;
    }
    over
}

#[cfg(test)]
mod tests {
    use gatewright_testing::TestDatabase;

    use super::*;

    async fn with_store(test: impl AsyncFn(Store, MasterKey)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        MasterKey::create(&file, &crate::sources::Sources::system()).unwrap();
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        test(store, MasterKey::read(&file).unwrap()).await;
    }

    const MOMENT: Duration = Duration::from_micros(1);

    /// Returns the instant some days after the first key.
    fn at(days: u32) -> Instant {
        Instant::EPOCH.saturating_add(DAY * days)
    }

    const ES256: Algorithm = Algorithm::Es256;

    /// Returns the times of a clock that nobody doubts.
    fn times(now: Instant) -> (Instant, Option<Instant>) {
        (now, Some(now))
    }

    #[tokio::test]
    async fn a_new_key_is_published_before_it_signs_and_an_old_one_after() {
        with_store(async |store, master| {
            let day = at(1);
            let ring = Keyring::maintain(&store, &master, ES256, None, times(at(0))).await.unwrap();
            let first = ring.signer(at(0)).unwrap().key.id().to_owned();
            let second =
                Keyring::rotate(&store, &master, ES256, KeyRotation::Planned, day).await.unwrap();
            let ring = Keyring::maintain(&store, &master, ES256, None, times(day)).await.unwrap();
            assert_eq!(
                ring.signer(day.saturating_add(LEAD).saturating_sub(MOMENT)).unwrap().key.id(),
                first
            );
            assert!(ring.public(&second).is_some());
            assert_eq!(ring.signer(day.saturating_add(LEAD)).unwrap().key.id(), second);
            let last = day.saturating_add(LEAD + KEPT);
            let ring =
                Keyring::maintain(&store, &master, ES256, None, times(last.saturating_sub(MOMENT)))
                    .await
                    .unwrap();
            assert!(ring.public(&first).is_some());
            let ring = Keyring::maintain(&store, &master, ES256, None, times(last)).await.unwrap();
            assert!(ring.public(&first).is_none());
            assert_eq!(ring.signer(last).unwrap().key.id(), second);
            assert_eq!(store.keys().await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_key_is_followed_by_another_when_its_days_are_over() {
        with_store(async |store, master| {
            for (now, keys) in [
                (at(0), 1),
                (at(3).saturating_sub(MOMENT), 1),
                (at(3), 2),
                (at(3).saturating_add(MOMENT), 2),
            ] {
                let ring =
                    Keyring::maintain(&store, &master, ES256, Some(3), times(now)).await.unwrap();
                assert_eq!(ring.public.len(), keys, "at {now}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn in_an_emergency_no_other_key_is_left() {
        with_store(async |store, master| {
            let before =
                Keyring::maintain(&store, &master, ES256, None, times(at(0))).await.unwrap();
            let other = Algorithm::EdDsa;
            Keyring::maintain(&store, &master, other, None, times(at(0))).await.unwrap();
            let later = at(1);
            let id = Keyring::rotate(&store, &master, ES256, KeyRotation::Emergency, later)
                .await
                .unwrap();
            let ring = Keyring::load(&store, &master, ES256, Some(later)).await.unwrap();
            assert_eq!(ring.signer(later).unwrap().key.id(), id);
            assert_eq!(ring.public.len(), 1);
            assert!(!ring.holds_all_of(&before));
        })
        .await;
    }

    #[tokio::test]
    async fn another_algorithm_has_keys_of_its_own() {
        with_store(async |store, master| {
            Keyring::maintain(&store, &master, ES256, None, times(at(0))).await.unwrap();
            let later = at(100);
            let ring = Keyring::maintain(&store, &master, Algorithm::EdDsa, None, times(later))
                .await
                .unwrap();
            assert_eq!(ring.signer(later).unwrap().key.algorithm(), Algorithm::EdDsa);
            assert_eq!(ring.public.len(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_clock_in_doubt_neither_deletes_a_key_nor_makes_another() {
        with_store(async |store, master| {
            Keyring::maintain(&store, &master, ES256, Some(3), (at(0), None)).await.unwrap();
            Keyring::rotate(&store, &master, ES256, KeyRotation::Planned, at(0)).await.unwrap();
            let late = Keyring::maintain(&store, &master, ES256, Some(3), (at(9), None)).await;
            assert_eq!(late.unwrap().public.len(), 2);
            let late = Keyring::maintain(&store, &master, ES256, Some(3), times(at(9))).await;
            // The first is deleted, and the second is followed by another.
            assert_eq!(late.unwrap().public.len(), 2);
            assert_eq!(store.keys().await.unwrap()[1].created, at(9));
        })
        .await;
    }

    #[tokio::test]
    async fn a_key_of_a_clock_that_was_ahead_keeps_no_other_from_being_made() {
        with_store(async |store, master| {
            Keyring::maintain(&store, &master, ES256, Some(3), times(at(0))).await.unwrap();
            Keyring::rotate(&store, &master, ES256, KeyRotation::Planned, at(900)).await.unwrap();
            for (now, keys) in [(at(1), 2), (at(3), 3), (at(4), 2)] {
                let ring = Keyring::maintain(&store, &master, ES256, Some(3), times(now)).await;
                assert_eq!(ring.unwrap().public.len(), keys, "at {now}");
            }
        })
        .await;
    }
}
