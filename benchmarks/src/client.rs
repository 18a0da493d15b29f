//! A minimal HTTP client, so that its own cost is not measured.

use memchr::memmem;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A result whose error may be anything.
pub type Anyhow<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the request for a token with these credentials, in Base64.
pub fn token_request(basic: &str) -> String {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let headers = format!("Authorization: Basic {basic}\r\n{kind}");
    request("/auth/oauth2/token", &headers, "grant_type=client_credentials&scope=all")
}

/// Builds a POST request.
pub fn request(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Parses the JSON body of a response.
pub fn body(answer: &str) -> Anyhow<Value> {
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok(serde_json::from_str(body)?)
}

/// Sends a request that must succeed, and reads the whole response.
pub async fn exchange(stream: &mut TcpStream, request: &str) -> Anyhow<String> {
    let answer = answer(stream, request).await?;
    if !answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.1 303") {
        return Err(String::from_utf8_lossy(&answer).into());
    }
    Ok(String::from_utf8(answer)?)
}

/// Sends a request and reads the whole response, whatever its status, at minimal cost: the cost of
/// the load is not to be measured.
pub async fn answer(stream: &mut TcpStream, request: &str) -> Anyhow<Vec<u8>> {
    stream.write_all(request.as_bytes()).await?;
    read_answer(stream).await
}

/// Reads one response to its end.
pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Anyhow<Vec<u8>> {
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(end) = memmem::find(&answer, b"\r\n\r\n") else { continue };
        let head = &answer[..end];
        if head.starts_with(b"HTTP/1.1 204") {
            return Ok(answer);
        }
        let length = memmem::find(head, b"content-length: ")
            .or_else(|| memmem::find(head, b"Content-Length: "))
            .ok_or("no length")?;
        let digits = head[length + 16..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |sum, byte| 10 * sum + usize::from(byte - b'0'));
        if answer.len() >= end + 4 + length {
            return Ok(answer);
        }
    }
}
