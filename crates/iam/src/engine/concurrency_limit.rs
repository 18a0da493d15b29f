//! The limit of large requests for decisions: how many of an account are worked on at once.
//!
//! Invariant: an account never has more than its permits, so that one that asks much waits for itself
//! and not for long, and others are served beside it.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::AccountName;
use metrics::Counter;

use crate::engine::keyed_semaphores::KeyedSemaphores;
use crate::model::error::{IamError, Overload};

/// The maximum number of large requests of an account that are worked on at once.
const OF_AN_ACCOUNT: usize = 2;

/// The maximum time that a large request waits for its permit. What waits is bounded by the memory for
/// the bodies of requests.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The time after which a refused request may be sent again, in seconds.
const RETRY_AFTER: u64 = 2;

/// The permits of all accounts.
pub(crate) struct ConcurrencyLimit {
    accounts: Arc<KeyedSemaphores<AccountName>>,
    longest_wait: Duration,
    refused: Counter,
}

impl ConcurrencyLimit {
    pub(crate) fn new() -> Self {
        Self {
            accounts: KeyedSemaphores::new(OF_AN_ACCOUNT),
            longest_wait: LONGEST_WAIT,
            refused: metrics::counter!("gatewright_large_requests_refused_total"),
        }
    }

    /// Does work with a permit of the account; fails with [`IamError::Busy`] where there is none soon.
    pub(crate) async fn run<T>(
        &self,
        account: &AccountName,
        work: impl Future<Output = Result<T, IamError>>,
    ) -> Result<T, IamError> {
        let place = self.accounts.place(account.clone(), usize::MAX).ok_or_else(|| self.busy())?;
        let acquired = tokio::time::timeout(self.longest_wait, place.acquire()).await;
        let Ok(Ok(_permit)) = acquired else { return Err(self.busy()) };
        work.await
    }

    /// Refuses a large request.
    pub(crate) fn busy(&self) -> IamError {
        self.refused.increment(1);
        IamError::Busy { cause: Overload("large requests"), seconds: RETRY_AFTER }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn an_account_waits_for_itself_and_not_for_ever() {
        let limit =
            ConcurrencyLimit { longest_wait: Duration::from_millis(1), ..ConcurrencyLimit::new() };
        let (one, other) = (AccountName::new("aa1-ovh"), AccountName::new("bb2-ovh"));
        let endless = || limit.run::<()>(&one, pending());
        let beside = async {
            let refused = limit.run(&one, ready(Ok(()))).await;
            assert!(matches!(refused, Err(IamError::Busy { seconds: RETRY_AFTER, .. })));
            limit.run(&other, ready(Ok(()))).await.unwrap();
        };
        // Those before are polled first.
        tokio::select! {
            biased;
            _ = endless() => panic!("it never ends"),
            _ = endless() => panic!("it never ends"),
            () = beside => {}
        }
        limit.run(&one, ready(Ok(()))).await.unwrap();
        assert!(limit.accounts.is_empty());
    }
}
