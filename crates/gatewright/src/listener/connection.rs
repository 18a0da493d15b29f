//! Serves one connection: HTTP/1.1 or HTTP/2, within limits of time.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use gatewright_iam::Network;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::admission::Admitted;
use super::body::{BodyLimits, RequestBody, UnreadBodyReceiver};
use super::http2_stream::StreamExecutor;
use super::poll_when_woken::PollWhenWoken;
use super::progress::{InFlight, Progress};
use super::response_body::ResponseBody;
use super::response_memory::ResponseMemory;
use super::stream::Stream;
use super::unread::Disposal;
use super::watchdog::{Phase, Watchdog, interval};
use crate::config::Timeouts;

/// The maximum size of a request's head, in bytes. Until a request is whole, no more is held of it.
pub(crate) const MAX_HEAD: usize = 64 << 10;

/// The same on HTTP/2, where one connection has many.
pub(crate) const MAX_HTTP2_HEAD: u32 = 16 << 10;

/// The maximum number of fields in a head on HTTP/2. hyper has the same for HTTP/1.1.
pub(crate) const MAX_FIELDS: usize = 100;

/// The requests of one HTTP/2 connection at once.
pub(crate) const MAX_STREAMS: u32 = 32;

/// The same for a trusted proxy, which sends the requests of many clients.
const MAX_PROXY_STREAMS: u32 = 128;

/// The bytes of a body that an HTTP/2 client may send before it is read.
const STREAM_WINDOW: u32 = 64 << 10;

/// The same for all bodies of a connection.
const CONNECTION_WINDOW: u32 = 256 << 10;

/// The longest time between two pings on HTTP/2.
const MOST_BETWEEN_PINGS: Duration = Duration::from_secs(40);

/// The bytes of a response that are held for an HTTP/2 client before it takes them, beside those that
/// are counted.
const SEND_BUFFER: usize = 16 << 10;

/// Serves connections within limits of time.
pub(crate) struct Server {
    clients: Protocols,
    proxies: Protocols,
    bodies: BodyLimits,
    responses: Arc<ResponseMemory>,
    /// The label of the listener in metrics.
    listener: &'static str,
}

/// The limits of one kind of peer.
struct Protocols {
    builder: Builder<StreamExecutor>,
    timeouts: Timeouts,
}

impl Protocols {
    fn new(timeouts: Timeouts, streams: u32, listener: &'static str) -> Self {
        let mut builder = Builder::new(StreamExecutor { timeout: timeouts.write, listener });
        // The watchdog counts the time for heads: hyper would count idle time as well.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None::<Duration>);
        // Nearly all responses are small: one buffer is sent with less work than a list of them.
        builder.http1().writev(false).max_buf_size(MAX_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HTTP2_HEAD)
            .max_concurrent_streams(streams)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            // A peer that is gone without a word is noticed, even while it has a request in flight.
            .keep_alive_interval((timeouts.idle / 2).min(MOST_BETWEEN_PINGS))
            .keep_alive_timeout(timeouts.header);
        Self { builder, timeouts }
    }
}

impl Server {
    pub(crate) fn new(
        timeouts: Timeouts,
        (bodies, responses): (BodyLimits, Arc<ResponseMemory>),
        listener: &'static str,
    ) -> Self {
        let of_proxies = Timeouts { idle: timeouts.proxy_idle, ..timeouts.clone() };
        let proxies = Protocols::new(of_proxies, MAX_PROXY_STREAMS, listener);
        let clients = Protocols::new(timeouts, MAX_STREAMS, listener);
        Self { clients, proxies, bodies, responses, listener }
    }

    /// Serves a connection until it ends. Once `stop` changes, requests in flight complete.
    pub(crate) async fn serve<H, R>(
        &self,
        (stream, admitted): (TcpStream, &Admitted),
        handle: H,
        mut stop: watch::Receiver<()>,
    ) where
        H: FnOnce(Request<RequestBody<Incoming>>) -> R + Clone + Send + 'static,
        R: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
    {
        let Protocols { builder, timeouts } =
            if admitted.memory().is_none() { &self.proxies } else { &self.clients };
        let progress = Arc::new(Progress::default());
        let io = TokioIo::new(Stream::new(stream, Arc::clone(&progress)));
        let service = service_fn(|request: Request<Incoming>| {
            let in_flight = progress.begin(&request);
            let disposal = Disposal::of(&request);
            let (request, receiver) = RequestBody::wrap(request, &self.bodies, admitted.memory());
            let responses = (Arc::clone(&self.responses), admitted.network());
            answer((handle.clone(), request), (receiver, disposal), responses, in_flight)
        });
        let mut serving = pin!(builder.serve_connection(io, service));
        let mut watchdog = Watchdog::new(timeouts);
        let mut ticks = tokio::time::interval(interval(timeouts));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let mut is_stopping = false;
        loop {
            let event = {
                let event = pin!(next_event(&mut ticks, &mut stop, is_stopping));
                tokio::select! {
                    biased;
                    _ = serving.as_mut() => return,
                    event = PollWhenWoken::new(event) => event,
                }
            };
            match event {
                Event::Stop => {}
                Event::Tick => match watchdog.tick(progress.snapshot()) {
                    None => continue,
                    // A request may be on its way: HTTP/2 can say which were taken.
                    Some(Phase::Idle) if !is_stopping => self.count(Phase::Idle),
                    Some(phase) => return self.count(phase),
                },
            }
            is_stopping = true;
            serving.as_mut().graceful_shutdown();
        }
    }

    /// Counts a connection that is closed because its client let the server wait.
    fn count(&self, phase: Phase) {
        let labels = [("listener", self.listener), ("phase", phase.label())];
        metrics::counter!("gatewright_connections_timed_out_total", &labels).increment(1);
        tracing::debug!(listener = self.listener, phase = phase.label(), "connection timed out");
    }
}

/// An event of a connection beside its requests.
enum Event {
    /// The watchdog is to look.
    Tick,
    /// Requests in flight are to complete, and no more begin.
    Stop,
}

/// Waits for the next event; a connection that is stopping already is not told again.
async fn next_event(
    ticks: &mut Interval,
    stop: &mut watch::Receiver<()>,
    is_stopping: bool,
) -> Event {
    tokio::select! {
        biased;
        _ = stop.changed(), if !is_stopping => Event::Stop,
        _ = ticks.tick() => Event::Tick,
    }
}

/// Answers a request, and disposes of what its handler left unread; none is handled that has too many
/// fields. The handler is called here: an argument that is its future would be held twice, and moved.
async fn answer<H, R>(
    (handle, request): (H, Request<RequestBody<Incoming>>),
    (receiver, disposal): (UnreadBodyReceiver<Incoming>, Disposal),
    (responses, network): (Arc<ResponseMemory>, Option<Network>),
    in_flight: InFlight,
) -> Result<Response<ResponseBody>, Infallible>
where
    H: FnOnce(Request<RequestBody<Incoming>>) -> R,
    R: Future<Output = Result<Response<Body>, Infallible>>,
{
    let mut response = if request.headers().len() > MAX_FIELDS {
        with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        handle(request).await?
    };
    // The memory of the request's body is held until here.
    if let Some(body) = receiver.receive().and_then(|unread| unread.body)
        && !disposal.dispose(body, response.headers_mut()).await
    {
        in_flight.cut_short();
    }
    Ok(ResponseBody::wrap(response, (responses, network), in_flight))
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
