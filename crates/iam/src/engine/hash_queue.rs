//! Queues of password hashes: each takes 19 MiB and a core for a while.

use tokio::sync::Semaphore;

use crate::model::error::IamError;

/// The time after which a refused client may try again, in seconds.
const RETRY_AFTER: u64 = 1;

/// A bounded number of password hashes that run at once, and of others that wait.
///
/// There is one for whoever has proved nothing yet, so that strangers can only keep each other
/// waiting.
pub(crate) struct HashQueue {
    admitted: Semaphore,
    running: Semaphore,
}

impl HashQueue {
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        Self { admitted: Semaphore::new(running + waiting), running: Semaphore::new(running) }
    }

    /// Runs a hash when its turn has come; refused at once where too many wait.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, IamError> {
        let Ok(_place) = self.admitted.try_acquire() else {
            metrics::counter!("gatewright_sign_ins_refused_total", "reason" => "busy").increment(1);
            return Err(IamError::Busy { seconds: RETRY_AFTER });
        };
        let _turn = self.running.acquire().await.map_err(IamError::internal)?;
        tokio::task::spawn_blocking(hash).await.map_err(IamError::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_refused_at_once() {
        let queue = HashQueue::new(1, 1);
        let (release, released) = channel();
        let first = queue.run(move || released.recv());
        let second = queue.run(|| 2);
        let third = async {
            // The others are polled first.
            let refused = queue.run(|| 3).await;
            release.send(()).unwrap();
            refused
        };
        let (first, second, third) = tokio::join!(first, second, third);
        first.unwrap().unwrap();
        assert_eq!(second.unwrap(), 2);
        assert!(matches!(third, Err(IamError::Busy { .. })), "{third:?}");
        assert_eq!(queue.run(|| 4).await.unwrap(), 4);
    }
}
