//! A failure is answered with a 500 that has a query ID, and logged once with that and its cause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use envoy_types::ext_authz::v3::pb::HttpResponse;
use gatewright_api::refused_response;
use gatewright_iam::{Clock, IamError, Instant, Randomness, Sources};
use serde_json::Value;
use tracing::Level;

use super::captured_spans::{CapturedEvent, CapturedSpans};
use super::envoy::Envoy;
use super::installation::{Credential, Installation, Payload, Reply};
use crate::log::log_panic;

/// A clock that stands still, until it panics.
#[derive(Default)]
struct BrittleClock(AtomicBool);

impl Clock for BrittleClock {
    fn now(&self) -> Instant {
        assert!(!self.0.load(Ordering::Relaxed), "the clock is broken");
        Instant::from_seconds(1_767_225_600)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Random numbers of a fixed sequence, until there are no more.
struct BrittleRandomness {
    sequence: Mutex<fastrand::Rng>,
    fails: AtomicBool,
}

impl Randomness for BrittleRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), IamError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(IamError::internal(std::io::Error::other("no entropy")));
        }
        self.sequence.lock().unwrap().fill(bytes);
        Ok(())
    }

    fn number(&self) -> u128 {
        self.sequence.lock().unwrap().u128(..)
    }
}

struct Brittle {
    installation: Installation,
    clock: Arc<BrittleClock>,
    randomness: Arc<BrittleRandomness>,
}

impl Brittle {
    async fn new() -> Self {
        let clock = Arc::new(BrittleClock::default());
        let sequence = Mutex::new(fastrand::Rng::with_seed(42));
        let randomness = Arc::new(BrittleRandomness { sequence, fails: AtomicBool::new(false) });
        let sources = Sources::new(clock.clone(), randomness.clone());
        Self { installation: Installation::with(sources).await, clock, randomness }
    }
}

/// Finds the one event at ERROR that has the query ID of a response.
fn error_of(log: &CapturedSpans, reply: &Reply) -> CapturedEvent {
    let query_id = reply.headers["x-ovh-queryid"].to_str().unwrap();
    let is_its = |event: &CapturedEvent| {
        event.level == Level::ERROR
            && event.fields.get("query_id").is_some_and(|id| id.trim_matches('"') == query_id)
    };
    let mut errors = log.take_events();
    errors.retain(is_its);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

/// Logs panics as the program does.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            log_panic(panic);
            default(panic);
        }));
    });
}

#[tokio::test]
async fn a_panic_is_answered_with_a_500_and_logged_once_with_the_query_id_and_its_message() {
    install_hook();
    let brittle = Brittle::new().await;
    let (log, _guard) = CapturedSpans::start(Level::INFO);
    for (target, credential) in [
        ("/forward-auth/nginx/library", Credential::Token),
        ("/v1/me", Credential::Token),
        ("/me", Credential::Session),
        ("/nowhere", Credential::None),
    ] {
        brittle.clock.0.store(true, Ordering::Relaxed);
        let installation = &brittle.installation;
        let reply = installation.send(("GET", target), credential, Payload::None, &[]).await;
        brittle.clock.0.store(false, Ordering::Relaxed);
        assert_eq!(reply.status, 500, "{target}");
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(body["class"], "Server::InternalServerError", "{target}");
        assert_eq!(body["message"], "The server failed", "{target}");
        assert_eq!(reply.headers["cache-control"], "no-store", "{target}");
        let error = error_of(&log, &reply);
        assert_eq!(error.fields["message"], "a thread panicked", "{target}");
        assert_eq!(error.fields["cause"], "the clock is broken", "{target}");
        assert!(error.fields["location"].contains("failures.rs"), "{target}");
        let reply = installation.send(("GET", target), credential, Payload::None, &[]).await;
        assert!(reply.status.as_u16() < 500, "{target}: the server goes on");
    }
}

#[tokio::test]
async fn envoy_gets_a_denial_after_a_panic() {
    install_hook();
    let brittle = Brittle::new().await;
    let mut envoy = Envoy::connect(&brittle.installation).await;
    let (log, _guard) = CapturedSpans::start(Level::INFO);
    brittle.clock.0.store(true, Ordering::Relaxed);
    let HttpResponse::DeniedResponse(denied) = envoy.ask("/books/7").await else {
        panic!("the request passes");
    };
    brittle.clock.0.store(false, Ordering::Relaxed);
    assert_eq!(denied.status.unwrap().code, 500);
    let of_request = |event: &&CapturedEvent| event.fields.contains_key("query_id");
    let events = log.take_events();
    let errors: Vec<_> = events.iter().filter(of_request).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].fields["cause"], "the clock is broken");
    assert!(matches!(envoy.ask("/books/7").await, HttpResponse::OkResponse(_)));
}

#[tokio::test]
async fn a_page_that_cannot_even_be_read_is_answered_and_logged_with_its_query_id() {
    let brittle = Brittle::new().await;
    let (log, _guard) = CapturedSpans::start(Level::INFO);
    brittle.randomness.fails.store(true, Ordering::Relaxed);
    let request = ("GET", "/sign-in");
    let reply = brittle.installation.send(request, Credential::None, Payload::None, &[]).await;
    assert_eq!(reply.status, 500);
    let error = error_of(&log, &reply);
    assert_eq!(error.fields["message"], "failed");
    assert_eq!(error.fields["cause"], "The server failed: no entropy");
}

#[test]
fn a_response_that_there_is_no_memory_for_is_logged_with_its_query_id() {
    let (log, _guard) = CapturedSpans::start(Level::INFO);
    let response = Response::builder().header("x-ovh-queryid", "EU.ext-1").body(Body::empty());
    let refused = refused_response(&response.unwrap());
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let events = log.take_events();
    let fields = &events[0].fields;
    assert_eq!((&*fields["message"], &*fields["query_id"]), ("failed", "EU.ext-1"));
    assert_eq!(fields["status"], "503 Service Unavailable");
    assert!(fields["cause"].contains("no memory"), "{fields:?}");
}
