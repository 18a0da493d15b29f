//! A client that does as little as it can, so that it is not what is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a load lasts.
pub(crate) const ROUND: Duration = Duration::from_secs(3);

/// A result whose error may be anything.
pub(crate) type Anyhow<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Over how many connections a load comes.
pub(crate) fn connections() -> usize {
    std::env::args().nth(3).and_then(|text| text.parse().ok()).unwrap_or(32)
}

/// Writes a POST request.
pub(crate) fn request(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads the JSON in an answer's body.
pub(crate) fn body(answer: &str) -> Anyhow<Value> {
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok(serde_json::from_str(body)?)
}

/// Sends a request and reads its whole answer, with as little work as that takes: what the load costs
/// is not what is measured.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &str) -> Anyhow<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(end) = memmem::find(&answer, b"\r\n\r\n") else { continue };
        let head = &answer[..end];
        let length = memmem::find(head, b"content-length: ")
            .or_else(|| memmem::find(head, b"Content-Length: "))
            .ok_or("no length")?;
        let digits = head[length + 16..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |sum, byte| 10 * sum + usize::from(byte - b'0'));
        if answer.len() >= end + 4 + length {
            if !head.starts_with(b"HTTP/1.1 200") && !head.starts_with(b"HTTP/1.1 303") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
            return Ok(String::from_utf8(answer)?);
        }
    }
}

/// Requests per second over connections that are kept.
pub(crate) async fn load(address: SocketAddr, requests: &[String]) -> Anyhow<f64> {
    let done = Arc::new(AtomicU64::new(0));
    let requests: Arc<[String]> = requests.into();
    let started = Instant::now();
    let connections = (0..connections()).map(|connection| {
        let (done, requests) = (Arc::clone(&done), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut next = connection * 31;
            while started.elapsed() < ROUND {
                exchange(&mut stream, &requests[next % requests.len()]).await?;
                next += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
