//! Limits of the time that a client may let the server wait.

use std::time::Duration;

/// The time that a client may let the server wait.
#[derive(Debug, Clone)]
pub(crate) struct Timeouts {
    /// For the head of a request.
    pub(crate) header: Duration,
    /// For the body of a request.
    pub(crate) body: Duration,
    /// Until the next request on a connection.
    pub(crate) idle: Duration,
    /// The same on a connection of a trusted proxy.
    pub(crate) proxy_idle: Duration,
    /// Until it takes more of a response.
    pub(crate) write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            // Longer than proxies keep their connections by default (Envoy an hour, Caddy two
            // minutes, Go 90 seconds, nginx a minute): whoever closes first should be the proxy,
            // since a request that meets a close is lost.
            proxy_idle: Duration::from_mins(61),
            write: Duration::from_secs(30),
        }
    }
}
