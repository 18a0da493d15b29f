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
    /// Until it takes more of a response.
    pub(crate) write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            // Longer than proxies keep their connections by default (nginx and Envoy: a minute), so
            // that they close first, and no request meets a connection that is being closed.
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
        }
    }
}
