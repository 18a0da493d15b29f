//! Queues of password hashes: each takes 19 MiB and a core for a while.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::engine::keyed_semaphores::KeyedSemaphores;
use crate::model::error::{IamError, Overload};

/// The metric of refused attempts to sign in.
pub(crate) const REFUSED_SIGN_INS: &str = "gatewright_sign_ins_refused_total";

/// The time after which a refused client may try again, in seconds.
const RETRY_AFTER: u64 = 1;

/// A bounded number of password hashes that run at once, and of others that wait. The hashes of one
/// key (a network, a login, an account) run one after the other, so that none keeps another waiting
/// for longer than a hash takes.
///
/// There is one for whoever has proved nothing yet, so that strangers can only keep each other
/// waiting.
pub(crate) struct HashQueue {
    admitted: Semaphore,
    running: Semaphore,
    keys: Arc<KeyedSemaphores<Box<str>>>,
    /// The maximum number of hashes of one key that run or wait.
    of_key: usize,
}

impl HashQueue {
    pub(crate) fn new(running: usize, waiting: usize, of_key: usize) -> Self {
        Self {
            admitted: Semaphore::new(running + waiting),
            running: Semaphore::new(running),
            keys: KeyedSemaphores::new(1),
            of_key,
        }
    }

    /// Runs a hash once it has its permits; refused at once where too many wait.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        key: &str,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, IamError> {
        let busy = || {
            metrics::counter!(REFUSED_SIGN_INS, "reason" => "busy").increment(1);
            IamError::Busy { cause: Overload("hashes of passwords"), seconds: RETRY_AFTER }
        };
        let _admitted = self.admitted.try_acquire().map_err(|_| busy())?;
        let place = self.keys.place(key.into(), self.of_key).ok_or_else(busy)?;
        let _permit = place.acquire().await.map_err(IamError::internal)?;
        let _running = self.running.acquire().await.map_err(IamError::internal)?;
        tokio::task::spawn_blocking(hash).await.map_err(IamError::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn is_busy<T>(result: &Result<T, IamError>) -> bool {
        matches!(result, Err(IamError::Busy { .. }))
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_refused_at_once() {
        let queue = HashQueue::new(1, 1, 5);
        let (release, released) = channel();
        let first = queue.run("a", move || released.recv());
        let second = queue.run("b", || 2);
        let third = async {
            // The others are polled first.
            let refused = queue.run("c", || 3).await;
            release.send(()).unwrap();
            refused
        };
        let (first, second, third) = tokio::join!(first, second, third);
        first.unwrap().unwrap();
        assert_eq!(second.unwrap(), 2);
        assert!(is_busy(&third), "{third:?}");
        assert_eq!(queue.run("c", || 4).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn one_key_keeps_no_other_waiting() {
        let queue = HashQueue::new(2, 10, 2);
        let (release, released) = channel();
        let first = queue.run("a", move || released.recv());
        let second = queue.run("a", || 2);
        let others = async {
            // The second of the key waits for the first, and not in the place of another key.
            let third = queue.run("a", || 3).await;
            let other = queue.run("b", || 4).await;
            release.send(()).unwrap();
            (third, other)
        };
        let (first, second, (third, other)) = tokio::join!(first, second, others);
        first.unwrap().unwrap();
        assert_eq!((second.unwrap(), other.unwrap()), (2, 4));
        assert!(is_busy(&third), "{third:?}");
        assert!(queue.keys.is_empty());
    }
}
