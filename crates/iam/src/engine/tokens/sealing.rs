//! Seals secrets under the master key, and what browsers keep, for a time.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatewright_policy::Instant;
use zeroize::Zeroizing;

use super::Tokens;
use crate::model::error::IamError;

/// The time within which a browser must return the state of a challenge.
pub(crate) const CHALLENGE_LIFETIME: Duration = Duration::from_mins(10);

impl Tokens {
    /// Seals a secret under the master key, for one purpose.
    pub(crate) fn seal(&self, purpose: &str, secret: Vec<u8>) -> Result<Vec<u8>, IamError> {
        self.master.seal(purpose, secret).map_err(IamError::internal)
    }

    /// Unseals a secret of the purpose; none where it was sealed for another, or altered.
    pub(crate) fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.master.open(purpose, sealed).ok()
    }

    /// Seals a state for a browser to keep, with the time.
    pub(crate) fn seal_state(
        &self,
        purpose: &str,
        state: &[u8],
        now: Instant,
    ) -> Result<String, IamError> {
        let mut stamped = now.micros().to_be_bytes().to_vec();
        stamped.extend_from_slice(state);
        let sealed = self.seal(&format!("state {purpose}"), stamped)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Unseals a state that a browser kept; none where it was sealed for another purpose or before
    /// the lifetime, or altered.
    pub(crate) fn open_state(
        &self,
        purpose: &str,
        state: &str,
        (now, lifetime): (Instant, Duration),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(state).ok()?;
        let opened = self.unseal(&format!("state {purpose}"), &sealed)?;
        let (stamp, state) = opened.split_first_chunk::<8>()?;
        let age = now.since(Instant::from_micros(i64::from_be_bytes(*stamp)))?;
        (age < lifetime).then(|| Zeroizing::new(state.to_vec()))
    }
}
