//! Sets up the log, on standard error.

mod writer;

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use gatewright_api::current_query_id;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::error::Failure;
use writer::LogWriter;

/// Installs the subscriber that the settings choose. Events show the fields of their spans.
pub(crate) fn start(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(with_quiet_driver(config.log.as_str()))
        .map_err(|error| Failure::setting("--log")(error.to_string()))?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(LogWriter::new());
    // It would print them to the same place.
    let subscriber = subscriber.log_internal_errors(false);
    // On a terminal it has colours, unless `NO_COLOR` is set (no-color.org).
    let subscriber =
        if std::io::stderr().is_terminal() { subscriber } else { subscriber.with_ansi(false) };
    match config.log_format {
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
        LogFormat::Text => subscriber.with_target(false).init(),
    }
    std::panic::set_hook(Box::new(log_panic));
    config.log_settings();
    Ok(())
}

/// Adds to a filter that the notices of PostgreSQL are left out, unless it names the driver: at each
/// start the server says that the table of migrations exists already.
fn with_quiet_driver(filter: &str) -> String {
    let is_quiet = ["off", "error"].iter().any(|level| filter.trim().eq_ignore_ascii_case(level));
    if is_quiet || filter.contains("sqlx") {
        filter.to_owned()
    } else {
        format!("sqlx::postgres::notice=warn,{filter}")
    }
}

/// Logs a panic, with the query ID of the request that the thread is handling.
pub(crate) fn log_panic(panic: &PanicHookInfo<'_>) {
    let query_id = current_query_id().map(|id| id.to_string());
    let location = panic.location().map(ToString::to_string);
    let cause = panic.payload_as_str();
    tracing::error!(query_id, location, cause, "a thread panicked");
}
