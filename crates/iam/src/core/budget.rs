//! Budgets of requests for many decisions, and where these are made.
//!
//! A small request is decided at once, on the thread of the connection. A large one waits for a permit
//! and runs on the general runtime, yields between portions, and ends when its client goes away.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::core::iam::Iam;
use crate::engine::concurrency_limit::ConcurrencyLimit;
use crate::model::caller::Context;
use crate::model::error::IamError;

/// The cost up to which a request is small. A cost of 1 is about ten nanoseconds in the worst case, so
/// a request that waits on its thread for a hundred others waits ten milliseconds at most.
const SMALL_COST: u64 = 10_000;

/// The number of decisions of a chunk, which are made before others run.
pub(crate) const CHUNK: usize = 64;

/// The cost after which a large request lets others run.
const PORTION: u64 = 20_000;

/// The maximum time of a large request, once it has its permit.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// The costs that a request may still have.
pub(crate) struct Budget {
    most: u64,
    spent: u64,
    /// The cost since others last ran.
    since: u64,
}

impl Budget {
    /// Creates the budget of a request that may cost so much.
    pub(crate) fn new(most: u64) -> Self {
        Self { most, spent: 0, since: 0 }
    }

    /// Spends a cost; fails where the request would cost too much.
    pub(crate) fn spend(&mut self, cost: u64) -> Result<(), IamError> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent <= self.most {
            return Ok(());
        }
        let message = "the request needs too much work: ask for fewer decisions at once";
        Err(IamError::TooLarge(message.to_owned()))
    }

    /// Lets others run once a portion is done that costs so much more.
    pub(crate) async fn pause_after(&mut self, cost: u64) {
        self.since = self.since.saturating_add(cost);
        if self.since >= PORTION {
            self.since = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// A task that is aborted when nobody waits for it any more.
struct AttendedTask<T>(JoinHandle<T>);

impl<T> Drop for AttendedTask<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Iam {
    /// Creates the budget of a request.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.settings.limits.request_cost)
    }

    /// Creates the budget of a small request, which is decided at once, with a cost beside that of
    /// decisions.
    pub(crate) fn small_budget(&self, beside: u64) -> Budget {
        Budget::new((SMALL_COST + beside).min(self.settings.limits.request_cost))
    }

    /// Does the work of a large request on the general runtime, once the account has a permit; ends
    /// it when the caller of this ends. The work is done for the context as it is then: what was taken
    /// away while the request has waited counts.
    pub(crate) async fn run_large_request<T, F>(
        self: &Arc<Self>,
        limit: &Arc<ConcurrencyLimit>,
        context: &Context,
        work: impl FnOnce(Context, Budget) -> F + Send + 'static,
    ) -> Result<T, IamError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, IamError>> + Send + 'static,
    {
        let (iam, limit, context) = (Arc::clone(self), Arc::clone(limit), context.clone());
        let (account, budget) = (context.account().clone(), self.budget());
        let task = async move {
            let work = async {
                let work = async { work(iam.readmit(&context).await?, budget).await };
                let done = tokio::time::timeout(LONGEST, work).await;
                done.unwrap_or_else(|_| Err(limit.busy()))
            };
            limit.run(&account, work).await
        };
        let mut task = AttendedTask(self.runtime.spawn(task.in_current_span()));
        (&mut task.0).await.map_err(IamError::internal)?
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn others_run_after_each_portion() {
        let mut budget = Budget::new(u64::MAX);
        let mut pauses = 0;
        for _ in 0..10 {
            let mut pause = pin!(budget.pause_after(PORTION / 2));
            let is_pending =
                poll_fn(|context| Poll::Ready(pause.as_mut().poll(context).is_pending())).await;
            if is_pending {
                pauses += 1;
                pause.await;
            }
        }
        assert_eq!(pauses, 5);
    }
}
