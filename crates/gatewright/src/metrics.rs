//! Records metrics, and renders them for Prometheus.

use std::fmt::Write;
use std::sync::Once;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::error::Failure;

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

/// Interval at which histograms are drained, so that they do not grow while nobody reads them.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The renamed metrics: the old name and the new one. The old one is exposed as well, for one
/// version.
const RENAMED: &[(&str, &str)] =
    &[("gatewright_http_request_seconds", "gatewright_http_request_duration_seconds")];

/// The metrics recorded since the start.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder of this process.
    pub(crate) fn install() -> Result<Self, Failure> {
        let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                interval.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self(handle))
    }

    /// Renders all metrics in the text format.
    pub(crate) fn render(&self) -> String {
        static WARNING: Once = Once::new();
        WARNING.call_once(|| {
            for (old, new) in RENAMED {
                tracing::warn!(old, new, "a deprecated metric is exposed beside its new name");
            }
        });
        let mut text = self.0.render();
        for (old, new) in RENAMED {
            let copy = renamed(&text, old, new);
            text.push_str(&copy);
        }
        text
    }
}

/// Copies the lines of a metric, under its old name.
fn renamed(text: &str, old: &str, new: &str) -> String {
    let mut copy = String::new();
    for line in text.lines() {
        for head in ["", "# TYPE ", "# HELP "] {
            let rest = line.strip_prefix(head).and_then(|line| line.strip_prefix(new));
            if let Some(rest) = rest.filter(|rest| rest.starts_with(['{', ' ', '_'])) {
                // Writing to a string cannot fail.
                let _ = writeln!(copy, "{head}{old}{rest}");
            }
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_metric_has_all_its_lines_under_the_old_name_too() {
        let text = "# TYPE new_seconds histogram\nnew_seconds_bucket{le=\"1\"} 2\nnew_seconds_sum 3\n\
                    # TYPE new_secondsmore counter\nnew_secondsmore 4\nother{of=\"new_seconds\"} 1\n";
        let copy =
            "# TYPE old_seconds histogram\nold_seconds_bucket{le=\"1\"} 2\nold_seconds_sum 3\n";
        assert_eq!(renamed(text, "old_seconds", "new_seconds"), copy);
    }
}
