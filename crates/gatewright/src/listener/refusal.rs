//! Refusal of connections that are too many: a short answer, at a bounded cost.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The maximum number of refused connections that are answered at once; others are just closed.
const MOST_AT_ONCE: usize = 64;

/// The time in which a refused client can read the answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of bytes that are read and dropped of a refused client's request.
const MOST_DROPPED: u64 = 64 << 10;

const ANSWER: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\
    Content-Length: 0\r\n\r\n";

/// Refuses connections.
pub(super) struct ConnectionRefusal(Arc<Semaphore>);

impl ConnectionRefusal {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_AT_ONCE)))
    }

    /// Answers 503 and closes the connection; only closes it if many others are being answered.
    pub(super) fn refuse(&self, mut stream: TcpStream) {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let answering = async {
                stream.write_all(ANSWER).await?;
                stream.shutdown().await?;
                // Closed with unread bytes, the connection would be reset, and the answer lost.
                tokio::io::copy(&mut stream.take(MOST_DROPPED), &mut tokio::io::sink()).await
            };
            let _ = tokio::time::timeout(TIMEOUT, answering).await;
            drop(permit);
        });
    }
}
