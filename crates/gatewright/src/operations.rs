//! Serves health, readiness and metrics to operators, on a listener of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use gatewright_api::Api;
use gatewright_iam::Iam;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::error::Failure;

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

/// Installs the recorder of metrics.
pub(crate) fn install_recorder() -> Result<PrometheusHandle, Failure> {
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Routes the requests of operators.
pub(crate) fn router(iam: Arc<Iam>, api: Arc<Api>, metrics: PrometheusHandle) -> Router {
    let render = move || {
        api.flush_metrics();
        std::future::ready(metrics.render())
    };
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
        .with_state(iam)
        .route("/metrics", get(render))
}

async fn readiness(State(iam): State<Arc<Iam>>) -> (StatusCode, &'static str) {
    if iam.is_ready().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}
