//! Limits of requests that take much memory or processor time: how many are worked on at once.
//!
//! Invariant: an account never has more than its permits, so that one that asks much waits for itself
//! and not for long, and others are served beside it.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::AccountName;
use metrics::Counter;
use tokio::sync::{AcquireError, Semaphore};

use crate::engine::keyed_semaphores::KeyedSemaphores;
use crate::model::error::{IamError, Overload};

/// The maximum number of large requests for decisions of an account that are worked on at once.
pub(crate) const DECISIONS_OF_AN_ACCOUNT: usize = 2;

/// The maximum number of declarations of guarded APIs that are worked on at once: of an account, and
/// of all. Each takes some ten times the memory of its document.
const DECLARATIONS_OF_AN_ACCOUNT: usize = 1;
pub(crate) const DECLARATIONS_OF_ALL: usize = 2;

/// The maximum time that a large request waits for its permit. What waits is bounded by the memory for
/// the bodies of requests.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The time after which a refused request may be sent again, in seconds.
const RETRY_AFTER: u64 = 2;

/// The permits of all accounts.
pub(crate) struct ConcurrencyLimit {
    accounts: Arc<KeyedSemaphores<AccountName>>,
    all: Semaphore,
    longest_wait: Duration,
    refused: Counter,
}

impl ConcurrencyLimit {
    /// Creates the limit of large requests for decisions, which share the processor by yielding.
    pub(crate) fn of_decisions() -> Self {
        Self::new(DECISIONS_OF_AN_ACCOUNT, Semaphore::MAX_PERMITS)
    }

    /// Creates the limit of declarations of guarded APIs.
    pub(crate) fn of_declarations() -> Self {
        Self::new(DECLARATIONS_OF_AN_ACCOUNT, DECLARATIONS_OF_ALL)
    }

    fn new(of_an_account: usize, of_all: usize) -> Self {
        Self {
            accounts: KeyedSemaphores::new(of_an_account),
            all: Semaphore::new(of_all),
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
        // First that of the account, so that each account waits with one request at most for the others.
        let permits =
            async { Ok::<_, AcquireError>((place.acquire().await?, self.all.acquire().await?)) };
        let acquired = tokio::time::timeout(self.longest_wait, permits).await;
        let Ok(Ok(_permits)) = acquired else { return Err(self.busy()) };
        work.await
    }

    /// Returns whether an account has a permit left.
    #[cfg(test)]
    pub(crate) fn is_free_for(&self, account: &AccountName) -> bool {
        let place = self.accounts.place(account.clone(), usize::MAX);
        place.is_some_and(|place| place.try_acquire(1).is_some())
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

    fn quick(limit: ConcurrencyLimit) -> ConcurrencyLimit {
        ConcurrencyLimit { longest_wait: Duration::from_millis(1), ..limit }
    }

    #[tokio::test]
    async fn few_declarations_of_all_accounts_are_worked_on_at_once() {
        let limit = quick(ConcurrencyLimit::of_declarations());
        let accounts = ["aa1-ovh", "bb2-ovh", "cc3-ovh"].map(AccountName::new);
        let [one, two, three] = &accounts;
        let beside = async {
            // That of the same account does not wait in the place of another's.
            for waiting in [one, three] {
                let refused = limit.run(waiting, ready(Ok(()))).await;
                assert!(matches!(refused, Err(IamError::Busy { seconds: RETRY_AFTER, .. })));
            }
        };
        tokio::select! {
            biased;
            _ = limit.run::<()>(one, pending()) => panic!("it never ends"),
            _ = limit.run::<()>(two, pending()) => panic!("it never ends"),
            () = beside => {}
        }
        limit.run(three, ready(Ok(()))).await.unwrap();
        assert!(limit.accounts.is_empty());
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_and_not_for_ever() {
        let limit = quick(ConcurrencyLimit::of_decisions());
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
