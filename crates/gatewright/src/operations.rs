//! Serves health, readiness and metrics to operators, on a listener of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use gatewright_api::Api;
use gatewright_iam::{CauseChain, Iam};

use crate::metrics::Metrics;

/// The readiness of the server, as it was last told.
struct Readiness {
    iam: Arc<Iam>,
    was_ready: AtomicBool,
}

/// Routes the requests of operators.
pub(crate) fn router(iam: Arc<Iam>, api: Arc<Api>, metrics: Metrics) -> Router {
    let render = move || {
        // The workers count in batches: what is rendered must include the pending ones.
        api.flush_metrics();
        std::future::ready(metrics.render())
    };
    let readiness = Arc::new(Readiness { iam, was_ready: AtomicBool::new(true) });
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(check))
        .with_state(readiness)
        .route("/metrics", get(render))
}

/// Answers whether the server is ready. Only a change is logged, since it is asked every few seconds.
async fn check(State(readiness): State<Arc<Readiness>>) -> (StatusCode, String) {
    let checked = readiness.iam.check_ready().await;
    let was_ready = readiness.was_ready.swap(checked.is_ok(), Ordering::Relaxed);
    match checked {
        Ok(()) => {
            if !was_ready {
                tracing::info!("ready again");
            }
            (StatusCode::OK, "ready\n".to_owned())
        }
        Err(error) => {
            if was_ready {
                tracing::warn!(error = %CauseChain(&error), "not ready");
            }
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
        }
    }
}
