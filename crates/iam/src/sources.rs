//! Sources of time and randomness: they are passed in, so that a test can fix both.

mod clock;
mod timeline;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatewright_policy::{Instant, Region};
use uuid::{Builder, Uuid};
use zeroize::Zeroizing;

use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
pub use clock::Clock;
use clock::SystemClock;
pub(crate) use timeline::TRUSTED_AFTER;
use timeline::Timeline;

/// A generator of random numbers.
pub trait Randomness: Send + Sync {
    /// Fills a buffer with bytes that nobody can predict; fails when the generator does.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), IamError>;

    /// Generates a number for an identifier that is no secret, quickly.
    fn number(&self) -> u128;
}

/// Holds the clock and the random generator of an installation.
#[derive(Clone)]
pub struct Sources {
    timeline: Arc<Timeline>,
    randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources(…)")
    }
}

/// The random generator of the operating system.
struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), IamError> {
        aws_lc_rs::rand::fill(bytes).map_err(IamError::internal)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn number(&self) -> u128 {
        fastrand::u128(..)
    }
}

impl Sources {
    /// Creates sources from a clock and a random generator, as tests do.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { timeline: Arc::new(Timeline::new(clock)), randomness }
    }

    /// Creates sources from the clock of the machine and the generator of its operating system.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock::new()), Arc::new(SystemRandomness))
    }

    /// Returns the current time, by which things expire. A clock that is put back does not put it back, unless
    /// that undoes a jump ahead of the last 65 minutes.
    pub fn now(&self) -> Instant {
        self.timeline.now()
    }

    /// Returns the earliest time that is possible while the clock is in doubt, else the current one:
    /// for what must not count as old too early.
    pub(crate) fn earliest(&self) -> Instant {
        self.timeline.earliest()
    }

    /// Returns the time by which things may be deleted for their age; none while the clock is in doubt.
    pub(crate) fn settled(&self) -> Option<Instant> {
        self.timeline.settled()
    }

    /// Returns the time since some fixed moment, by a clock that is never set back.
    pub fn monotonic(&self) -> Duration {
        self.timeline.monotonic()
    }

    /// Generates random bytes that nobody can predict.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], IamError> {
        let mut bytes = [0; N];
        self.randomness.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Generates the identifier of a new object, which begins with the time (RFC 9562, version 7).
    pub(crate) fn id<T: From<Uuid>>(&self) -> Result<T, IamError> {
        let millis =
            u64::try_from(self.now().micros().div_euclid(1_000)).map_err(IamError::internal)?;
        Ok(Builder::from_unix_timestamp_millis(millis, &self.bytes()?).into_uuid().into())
    }

    /// Generates the query ID of a request.
    pub fn query_id(&self, region: Region) -> QueryId {
        QueryId::new(region, self.randomness.number())
    }

    /// Generates a secret for a client: 256 random bits behind a prefix.
    pub(crate) fn secret(&self, prefix: &str) -> Result<Secret, IamError> {
        Ok(Secret::of_bits(prefix, &Zeroizing::new(self.bytes()?)))
    }

    /// Generates a password for the owner of a new account.
    pub fn password(&self) -> Result<Secret, IamError> {
        let bits = Zeroizing::new(self.bytes::<15>()?);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(*bits).into())
    }
}

#[cfg(test)]
mod tests {
    use gatewright_policy::Region;

    use super::*;
    use crate::model::secret::{SERVICE_ACCOUNT, Secret, checksum};

    #[test]
    fn a_secret_has_a_prefix_256_bits_and_a_checksum() {
        let sources = Sources::system();
        let secret = sources.secret(SERVICE_ACCOUNT).unwrap();
        let text = secret.reveal();
        assert_eq!(text.len(), 4 + 43 + 6);
        let (body, sum) = text.split_at(47);
        assert!(body.starts_with("gws_"));
        assert_eq!(sum, checksum(body));
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(secret, sources.secret(SERVICE_ACCOUNT).unwrap());
        assert_eq!(secret, secret.clone());
    }

    #[test]
    fn a_secret_is_recognised_by_its_hash_and_never_printed() {
        let sources = Sources::system();
        let secret = sources.secret(SERVICE_ACCOUNT).unwrap();
        assert!(secret.is(secret.hash().as_ref()));
        assert!(!sources.secret(SERVICE_ACCOUNT).unwrap().is(secret.hash().as_ref()));
        assert!(!secret.is(&[]));
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }

    #[test]
    fn a_password_is_recognised_by_its_slow_hash() {
        let sources = Sources::system();
        let password = sources.password().unwrap();
        let hash = password.slow_hash(&sources.bytes().unwrap()).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password.is_password(&hash));
        assert!(!Secret::from("other".to_owned()).is_password(&hash));
        assert!(!password.is_password("nonsense"));
    }

    #[test]
    fn no_two_requests_and_no_two_objects_are_called_the_same() {
        let sources = Sources::system();
        let (one, other) = (sources.query_id(Region::Ca), sources.query_id(Region::Ca));
        assert_ne!(one, other);
        assert_eq!(one.to_string().len(), "CA.ext-".len() + 32);
        let id: Uuid = sources.id().unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_ne!(id, sources.id::<Uuid>().unwrap());
    }
}

/// Sources that a test sets.
#[cfg(test)]
pub(crate) mod testing {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;

    /// A monotonic clock that stands still until a test lets time pass.
    pub(crate) struct StoppedClock(AtomicU64);

    impl StoppedClock {
        pub(crate) fn at(time: Duration) -> Arc<Self> {
            let clock = Arc::new(Self(AtomicU64::new(0)));
            clock.pass(time);
            clock
        }

        pub(crate) fn pass(&self, time: Duration) {
            self.0.fetch_add(u64::try_from(time.as_micros()).unwrap(), Relaxed);
        }

        /// Returns the sources with this clock, and without randomness.
        pub(crate) fn sources(self: &Arc<Self>) -> Sources {
            Sources::new(Arc::<Self>::clone(self), Arc::new(NoRandomness))
        }
    }

    impl Clock for StoppedClock {
        fn now(&self) -> Instant {
            Instant::EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_micros(self.0.load(Relaxed))
        }
    }

    /// A source that nothing may draw from.
    struct NoRandomness;

    impl Randomness for NoRandomness {
        fn fill(&self, _: &mut [u8]) -> Result<(), IamError> {
            Err(IamError::NotFound)
        }

        fn number(&self) -> u128 {
            0
        }
    }
}
