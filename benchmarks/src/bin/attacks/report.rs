//! The measurements of a run, and what was wrong.

use gatewright_benchmarks::client::Anyhow;
use serde_json::{Map, Value};

/// The measurements of a run, and the checks that failed.
#[derive(Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
    failures: Vec<String>,
}

impl Report {
    /// Adds a measurement; shows it at once, since a run takes hours.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        let (what, figure) = (what.into(), figure.into());
        eprintln!("{what}: {figure}");
        self.figures.insert(what, figure.into());
    }

    /// Adds a check that failed. The run goes on.
    pub(crate) fn fail(&mut self, failure: String) {
        eprintln!("FAILED: {failure}");
        self.failures.push(failure);
    }

    /// Prints all measurements; fails if a check has failed.
    pub(crate) fn finish(self) -> Anyhow<()> {
        println!("{}", Value::Object(self.figures));
        if self.failures.is_empty() { Ok(()) } else { Err(self.failures.join("; ").into()) }
    }
}
