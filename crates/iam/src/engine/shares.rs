//! Shares of large requests for decisions: how many of an account are worked on at once.
//!
//! Invariant: an account never has more than its share, so that one that asks much waits for itself
//! and not for long, and others are served beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::AccountName;
use metrics::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::error::IamError;

/// The maximum number of large requests of an account that are worked on at once.
const OF_AN_ACCOUNT: usize = 2;

/// The maximum time that a large request waits for its turn. What waits is bounded by the memory for
/// the bodies of requests.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The time after which a refused request may be sent again, in seconds.
const RETRY_AFTER: u64 = 2;

/// The number of accounts from which on those without requests are forgotten.
const MANY_ACCOUNTS: usize = 1_000;

/// The shares of all accounts.
pub(crate) struct Shares {
    /// A request that waits or is worked on holds its account's semaphore.
    accounts: Mutex<HashMap<AccountName, Arc<Semaphore>, RandomState>>,
    longest_wait: Duration,
    refused: Counter,
}

impl Shares {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Mutex::default(),
            longest_wait: LONGEST_WAIT,
            refused: metrics::counter!("gatewright_large_requests_refused_total"),
        }
    }

    /// Waits for the turn of an account, which ends when the permit is dropped; fails with
    /// [`IamError::Busy`] where it does not come soon.
    pub(crate) async fn turn(
        &self,
        account: &AccountName,
    ) -> Result<OwnedSemaphorePermit, IamError> {
        let turn = self.of(account).acquire_owned();
        match tokio::time::timeout(self.longest_wait, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(self.busy()),
        }
    }

    /// Refuses a large request.
    pub(crate) fn busy(&self) -> IamError {
        self.refused.increment(1);
        IamError::Busy { seconds: RETRY_AFTER }
    }

    fn of(&self, account: &AccountName) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MANY_ACCOUNTS {
            accounts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let new = || Arc::new(Semaphore::new(OF_AN_ACCOUNT));
        Arc::clone(accounts.entry(account.clone()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_waits_for_itself_and_not_for_ever() {
        let shares = Shares { longest_wait: Duration::from_millis(1), ..Shares::new() };
        let (one, other) = (AccountName::new("aa1-ovh"), AccountName::new("bb2-ovh"));
        let turns = (shares.turn(&one).await.unwrap(), shares.turn(&one).await.unwrap());
        let refused = shares.turn(&one).await;
        assert!(matches!(refused, Err(IamError::Busy { seconds: RETRY_AFTER })));
        assert!(shares.turn(&other).await.is_ok());
        drop(turns);
        assert!(shares.turn(&one).await.is_ok());
    }

    #[tokio::test]
    async fn a_share_that_is_used_is_not_forgotten() {
        let shares = Shares { longest_wait: Duration::from_millis(1), ..Shares::new() };
        let account = AccountName::new("aa1-ovh");
        let _turns = (shares.turn(&account).await.unwrap(), shares.turn(&account).await.unwrap());
        for number in 0..2 * MANY_ACCOUNTS {
            drop(shares.turn(&AccountName::new(format!("cc{number}-ovh"))).await.unwrap());
        }
        assert!(shares.turn(&account).await.is_err());
        assert!(shares.accounts.lock().unwrap().len() <= MANY_ACCOUNTS + 1);
    }
}
