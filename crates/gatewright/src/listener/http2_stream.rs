//! Stream of an HTTP/2 connection: it is reset when its client takes nothing of the response.
//!
//! A body is asked for a frame only once there is room for it, so it cannot notice that itself. It
//! notes whose turn it is, and the task of the stream, which polls it, reads the note.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

/// The side of a stream that is to act next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Server,
    /// The client is offered the response, or its next frame: so many times in turn, modulo 2³².
    Client(u32),
}

thread_local! {
    /// The turn in the stream that this thread is polling.
    static TURN: Cell<Turn> = const { Cell::new(Turn::Server) };
}

/// Notes that the client is offered something. On HTTP/1.1, which has no such streams, nobody reads the note.
pub(super) fn note_client_turn() {
    TURN.set(match TURN.get() {
        Turn::Server => Turn::Client(0),
        Turn::Client(times) => Turn::Client(times.wrapping_add(1)),
    });
}

/// Notes that the next frame is being prepared.
pub(super) fn note_server_turn() {
    TURN.set(Turn::Server);
}

/// Spawns the streams of connections.
#[derive(Clone, Copy)]
pub(super) struct StreamExecutor {
    /// The time in which a client must take something.
    pub(super) timeout: Duration,
    /// The label of the listener in metrics.
    pub(super) listener: &'static str,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(Http2Stream { stream, executor: *self, turn: Turn::Server, timer: None });
    }
}

pin_project! {
    /// The task of a stream.
    struct Http2Stream<F> {
        #[pin]
        stream: F,
        executor: StreamExecutor,
        turn: Turn,
        // While it is the client's turn.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future<Output = ()>> Future for Http2Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let before = *this.turn;
        let outer = TURN.replace(before);
        let polled = this.stream.poll(context);
        *this.turn = TURN.replace(outer);
        if polled.is_ready() {
            return Poll::Ready(());
        }
        let StreamExecutor { timeout, listener } = *this.executor;
        if *this.turn != before {
            *this.timer = match this.turn {
                Turn::Server => None,
                Turn::Client(_) => Some(Box::pin(tokio::time::sleep(timeout))),
            };
        }
        let Some(timer) = this.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(context));
        metrics::counter!("gatewright_streams_timed_out_total", "listener" => listener)
            .increment(1);
        // Dropped unfinished, the stream is reset, and what is held of it is given back.
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;

    use tokio::time::Instant;

    use super::*;

    /// Polls a stream that notes turns one after the other; returns when it would end after each.
    fn deadlines(turns: &'static [fn()]) -> Vec<Option<Instant>> {
        let mut left = turns.iter();
        let stream = poll_fn(move |_| {
            if let Some(note) = left.next() {
                note();
            }
            Poll::Pending
        });
        let executor = StreamExecutor { timeout: Duration::from_mins(1), listener: "test" };
        let mut stream =
            Box::pin(Http2Stream { stream, executor, turn: Turn::Server, timer: None });
        let polls = turns.iter().map(|_| {
            let polled = stream.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            stream.timer.as_ref().map(|timer| timer.deadline())
        });
        polls.collect()
    }

    #[tokio::test]
    async fn each_frame_has_its_time_and_what_the_server_prepares_none() {
        const CLIENT: fn() = note_client_turn;
        const SERVER: fn() = note_server_turn;
        let all = deadlines(&[|| (), CLIENT, || (), CLIENT, SERVER, || (), CLIENT]);
        let [unready, offered, waiting, next, preparing, still, last] = all[..] else { panic!() };
        assert_eq!((unready, preparing, still), (None, None, None));
        assert!(offered.is_some() && offered == waiting);
        assert!(waiting < next && next < last);
    }

    #[tokio::test]
    async fn a_stream_of_which_nothing_is_taken_ends() {
        let executor = StreamExecutor { timeout: Duration::from_millis(1), listener: "test" };
        let stream = poll_fn(|_| {
            if TURN.get() == Turn::Server {
                note_client_turn();
            }
            Poll::Pending
        });
        Http2Stream { stream, executor, turn: Turn::Server, timer: None }.await;
    }
}
