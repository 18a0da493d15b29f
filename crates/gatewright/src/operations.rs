//! Serves health, readiness and metrics to operators, on a listener of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use gatewright_api::Api;
use gatewright_iam::Iam;

use crate::metrics::Metrics;

/// Routes the requests of operators.
pub(crate) fn router(iam: Arc<Iam>, api: Arc<Api>, metrics: Metrics) -> Router {
    let render = move || {
        // The workers count in batches: what is rendered must include the pending ones.
        api.flush_metrics();
        std::future::ready(metrics.render())
    };
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
        .with_state(iam)
        .route("/metrics", get(render))
}

async fn readiness(State(iam): State<Arc<Iam>>) -> (StatusCode, String) {
    match iam.check_ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}
