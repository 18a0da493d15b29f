//! A future that is polled only when it was woken, not each time that its task is.
//!
//! The task of a connection is woken for each request, and its timer and its signal to stop hardly
//! ever are. To poll them costs a few atomic operations.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// A future that is seldom woken.
pub(super) struct PollWhenWoken<F> {
    future: F,
    woken: Arc<Woken>,
    waker: Waker,
    /// The waker of the task, as it was registered last.
    task: Option<Waker>,
}

/// The flag that a future was woken since it was polled.
struct Woken {
    is_woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl<F: Future + Unpin> PollWhenWoken<F> {
    /// Wraps a future, which is polled the first time.
    pub(super) fn new(future: F) -> Self {
        let woken = Arc::new(Woken { is_woken: AtomicBool::new(true), task: AtomicWaker::new() });
        let waker = Waker::from(Arc::clone(&woken));
        Self { future, woken, waker, task: None }
    }
}

impl<F: Future + Unpin> Future for PollWhenWoken<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let Woken { is_woken, task } = &*this.woken;
        let is_same_task = this.task.as_ref().is_some_and(|task| task.will_wake(context.waker()));
        if is_same_task && !is_woken.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        // A wake-up takes the waker, so it is registered anew after each; and before the next look, so that
        // none is lost in between.
        task.register(context.waker());
        this.task = Some(context.waker().clone());
        if !is_woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        Pin::new(&mut this.future).poll(&mut Context::from_waker(&this.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;

    use futures_util::FutureExt;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_future_is_polled_once_for_each_time_that_it_is_woken() {
        let (notify, polls) = (Notify::new(), Cell::new(0));
        let mut notified = pin!(notify.notified());
        let mut future = PollWhenWoken::new(poll_fn(|context| {
            polls.set(polls.get() + 1);
            notified.as_mut().poll(context)
        }));
        for _ in 0..10 {
            assert_eq!((&mut future).now_or_never(), None);
        }
        assert_eq!(polls.get(), 1);
        notify.notify_waiters();
        assert_eq!((&mut future).now_or_never(), Some(()));
        assert_eq!(polls.get(), 2);
    }

    #[tokio::test]
    async fn the_task_is_woken_as_often_as_the_future_is() {
        let notify = Arc::new(Notify::new());
        let waiting = tokio::spawn(PollWhenWoken::new(Box::pin({
            let notify = Arc::clone(&notify);
            async move {
                for _ in 0..5 {
                    notify.notified().await;
                    // Pending once more, after having been woken.
                    tokio::task::yield_now().await;
                }
            }
        })));
        for _ in 0..5 {
            tokio::task::yield_now().await;
            notify.notify_one();
        }
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn the_task_is_woken_when_the_future_is_even_after_it_has_changed() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut future = PollWhenWoken::new(receiver);
        assert_eq!((&mut future).now_or_never(), None);
        let waiting = tokio::spawn(future);
        tokio::task::yield_now().await;
        sender.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
