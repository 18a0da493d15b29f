//! Sets up the log, on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::error::Failure;

/// Installs the subscriber that the settings choose.
pub(crate) fn start(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Failure::Setting { name: "--log", message: error.to_string() })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_format == "json" {
        subscriber.json().flatten_event(true).init();
    } else {
        subscriber.with_target(false).init();
    }
    Ok(())
}
