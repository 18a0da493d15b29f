//! Known devices: browsers that somebody has signed in with.

use std::fmt;
use std::time::Duration;

use gatewright_policy::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The time for which a browser stays known without a sign-in: the longest that one keeps a cookie.
pub const KNOWN_FOR: Duration = Duration::from_hours(400 * 24);

/// The maximum number of people who are known by one browser.
pub(crate) const MOST: usize = 4;

/// The identifier of a person's device. It is no secret, but nobody else can present it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DeviceId(Uuid);

impl From<Uuid> for DeviceId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The times of a person's credentials: when they were created, when the password was changed, and
/// when an authenticator was set up. A device that has signed in with others is a stranger's: of
/// whoever knew the earlier password, or of an earlier user with the same login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialTimes {
    pub(crate) created_at: Instant,
    pub(crate) password_changed_at: Option<Instant>,
    pub(crate) totp_created_at: Option<Instant>,
}

/// The sealed record of a person that a browser keeps: it signs nobody in, but its attempts are counted
/// apart from those of strangers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SignedInDevice {
    /// The URN of the identity that signed in.
    pub(crate) identity: String,
    pub(crate) id: DeviceId,
    /// The credentials that the person signed in with.
    pub(crate) credentials: CredentialTimes,
}
