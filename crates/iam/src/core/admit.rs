//! Admits requests within the limits of their rates.

use std::net::IpAddr;

use crate::core::iam::Iam;
use crate::model::caller::Principal;
use crate::model::error::IamError;
use crate::model::rate::{RateLimit, RequestClass};

impl Iam {
    /// Admits a request of an authenticated caller; returns the state of the limit that is nearest,
    /// where its class is told. Fails with [`IamError::RateLimited`] beyond a limit.
    pub fn admit_request(
        &self,
        class: RequestClass,
        principal: &Principal,
    ) -> Result<Option<RateLimit>, IamError> {
        self.rate_limits.admit(class, principal)
    }

    /// Admits a request that makes the journal of the account grow. Fails with [`IamError::RateLimited`]
    /// where that has grown too fast, and with [`IamError::Unavailable`] while the disk is full.
    pub fn admit_growth(&self, class: RequestClass, principal: &Principal) -> Result<(), IamError> {
        match class {
            RequestClass::Writes => {
                self.store.check_room()?;
                self.rate_limits.admit_growth(principal)
            }
            RequestClass::Decisions | RequestClass::Reads | RequestClass::Revocations => Ok(()),
        }
    }

    /// Admits a request without credentials.
    pub fn admit_anonymous(&self, from: Option<IpAddr>) -> Result<(), IamError> {
        self.rate_limits.admit_anonymous(from)
    }

    /// Returns whether an access token was issued here, be it valid or not.
    pub async fn is_issued_here(&self, token: &str) -> bool {
        self.tokens.verify(token).await.is_ok()
    }

    /// Counts a token that was refused, unless it was issued here and is merely no longer valid: its
    /// client must hear that, to get another. Fails where there were too many from the network.
    pub async fn count_refused_token(
        &self,
        token: &str,
        from: Option<IpAddr>,
    ) -> Result<(), IamError> {
        if self.is_issued_here(token).await {
            return Ok(());
        }
        self.rate_limits.count_failure(from)
    }
}
