//! Timers that are used again.
//!
//! Hyper makes a timer for the head of every request, and drops it when the head is there. Each
//! would be entered into a list that all connections share, and be struck off it again. These stay
//! in the list, and are put off for the next request, which takes no lock.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// A thread keeps so many at most that nobody waits for.
const MOST_KEPT: usize = 256;

type Kept = Pin<Box<tokio::time::Sleep>>;

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Makes timers, for use in the runtime.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptTimer;

impl Timer for KeptTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = tokio::time::Instant::from_std(deadline);
        let kept = KEPT.with_borrow_mut(Vec::pop);
        let sleep = kept.map(|mut sleep| {
            sleep.as_mut().reset(deadline);
            sleep
        });
        Box::pin(Lent(Some(sleep.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(deadline))))))
    }
}

/// A timer that is in use.
struct Lent(Option<Kept>);

impl Future for Lent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Ready(()), |sleep| sleep.as_mut().poll(context))
    }
}

impl Sleep for Lent {}

impl Drop for Lent {
    fn drop(&mut self) {
        // The thread may be at its end, and what it kept gone.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < MOST_KEPT {
                kept.extend(self.0.take());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_rings_in_time_also_when_it_is_used_again() {
        let now = || tokio::time::Instant::now().into_std();
        for wait in [3, 10, 1] {
            let begun = now();
            drop(KeptTimer.sleep_until(begun + Duration::from_secs(5)));
            assert_eq!(KEPT.with_borrow(Vec::len), 1);
            KeptTimer.sleep_until(begun + Duration::from_secs(wait)).await;
            assert_eq!((now() - begun).as_secs(), wait);
        }
    }
}
