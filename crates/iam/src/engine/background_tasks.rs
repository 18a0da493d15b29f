//! Ends background tasks, before what they use is closed.

use std::sync::{Mutex, PoisonError};

use tokio::task::JoinHandle;

/// Background tasks, which are aborted when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct BackgroundTasks(Mutex<Vec<JoinHandle<()>>>);

impl BackgroundTasks {
    pub(crate) fn new(tasks: Vec<JoinHandle<()>>) -> Self {
        Self(Mutex::new(tasks))
    }

    /// Adds a task that has begun later.
    pub(crate) fn add(&self, task: JoinHandle<()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    fn take(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Aborts the tasks, and waits until they have given back what they hold.
    pub(crate) async fn end_all(&self) {
        let tasks = self.take();
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            // The error says that it was aborted, as it should be.
            let _ = task.await;
        }
    }
}

impl Drop for BackgroundTasks {
    fn drop(&mut self) {
        for task in self.take() {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn tasks_have_given_back_what_they_hold_once_they_have_ended() {
        let held = Arc::new(());
        let task = |held: Arc<()>| {
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(held);
            })
        };
        let tasks = BackgroundTasks::new(vec![task(held.clone()), task(held.clone())]);
        tokio::task::yield_now().await;
        tasks.end_all().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
