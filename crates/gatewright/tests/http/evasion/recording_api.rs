//! An API that records every request that reaches it, as the bytes say and not as a library reads
//! them.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request that reached the API.
#[derive(Debug, Clone, Default)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) target: String,
    /// The names, as they are spelled, and the values; those of trailers as well.
    pub(super) headers: Vec<(String, String)>,
    /// The reason why two programs could read the bytes in two ways.
    pub(super) unclear: Option<String>,
}

/// The API, as long as it is kept.
pub(super) struct RecordingApi {
    pub(super) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl RecordingApi {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let records = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&records)));
            }
        });
        Self { port, received }
    }

    /// Returns what was received since the last call.
    pub(super) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

/// Reads requests off a connection, and answers each with its target.
async fn serve(stream: TcpStream, received: Arc<Mutex<Vec<Received>>>) {
    let mut bytes = Bytes { stream, buffer: Vec::new() };
    loop {
        let Some(head) = bytes.until(b"\r\n\r\n").await else { break };
        let mut request = read_head(&head);
        if request.unclear.is_none() {
            match bytes.body(&mut request).await {
                Ok(()) => {}
                // Everybody reads an unfinished request in one way.
                Err(Broken::CutShort) => bytes.buffer.clear(),
                Err(Broken::Unclear(reason)) => request.unclear = Some(reason),
            }
        }
        let (method, target) = (request.method.clone(), request.target.clone());
        let is_unclear = request.unclear.is_some();
        received.lock().unwrap().push(request);
        let body = if method == "HEAD" { "" } else { &*target };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", target.len());
        if is_unclear || bytes.stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
    if !bytes.buffer.is_empty() {
        let unclear = format!("not a request: {}", text(&bytes.buffer));
        received.lock().unwrap().push(Received { unclear: Some(unclear), ..Received::default() });
    }
}

/// A fault of the body of a request.
enum Broken {
    CutShort,
    Unclear(String),
}

/// The bytes of a connection.
struct Bytes {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Bytes {
    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        let read = self.stream.read(&mut chunk).await.ok().filter(|&read| read > 0)?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Some(())
    }

    /// Returns the bytes before a mark, and drops both.
    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|part| part == mark) {
                let rest = self.buffer.split_off(at + mark.len());
                let mut before = std::mem::replace(&mut self.buffer, rest);
                before.truncate(at);
                return Some(before);
            }
            self.more().await?;
        }
    }

    async fn skip(&mut self, length: usize) -> Option<()> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        self.buffer.drain(..length);
        Some(())
    }

    /// Reads the body by the one header that frames it (RFC 9112, section 6).
    async fn body(&mut self, request: &mut Received) -> Result<(), Broken> {
        let values = |name: &str| -> Vec<String> {
            let plain = |spelled: &str| spelled.replace('_', "-").to_ascii_lowercase();
            let found = request.headers.iter().filter(|(spelled, _)| plain(spelled) == name);
            // A value under another spelling counts for some programs and not for others.
            let value = |(spelled, value): &(String, String)| {
                if spelled.contains('_') { format!("{spelled}: {value}") } else { value.clone() }
            };
            found.map(value).collect()
        };
        let (lengths, encodings) = (values("content-length"), values("transfer-encoding"));
        match (&lengths[..], &encodings[..]) {
            ([], []) => Ok(()),
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                let unclear = |_| Broken::Unclear(format!("Content-Length: {length}"));
                self.skip(length.parse().map_err(unclear)?).await.ok_or(Broken::CutShort)
            }
            ([], [encoding]) if encoding == "chunked" => self.chunks(request).await,
            _ => Err(Broken::Unclear(format!("framed by {lengths:?} and {encodings:?}"))),
        }
    }

    async fn chunks(&mut self, request: &mut Received) -> Result<(), Broken> {
        let cut = || Broken::CutShort;
        loop {
            let size = text(&self.until(b"\r\n").await.ok_or_else(cut)?);
            let length = usize::from_str_radix(&size, 16)
                .map_err(|_| Broken::Unclear(format!("chunk size {size:?}")))?;
            if length == 0 {
                break;
            }
            self.skip(length).await.ok_or_else(cut)?;
            if !self.until(b"\r\n").await.ok_or_else(cut)?.is_empty() {
                return Err(Broken::Unclear("a chunk is longer than its size".to_owned()));
            }
        }
        loop {
            let line = text(&self.until(b"\r\n").await.ok_or_else(cut)?);
            if line.is_empty() {
                return Ok(());
            }
            request.headers.push(read_header(&line).map_err(Broken::Unclear)?);
        }
    }
}

/// Reads the request line and the headers, and says what is unclear about them.
fn read_head(bytes: &[u8]) -> Received {
    let head = text(bytes);
    let mut lines = head.split("\r\n");
    let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let unclear = |reason: String| Received { unclear: Some(reason), ..Received::default() };
    let &[method, target, "HTTP/1.1" | "HTTP/1.0"] = &line[..] else {
        return unclear(format!("request line {line:?}"));
    };
    match lines.map(read_header).collect() {
        Ok(headers) => Received {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            unclear: None,
        },
        Err(reason) => unclear(reason),
    }
}

fn read_header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("header line {line:?}"))?;
    let is_token = |one: u8| one.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&one);
    let is_clear = !name.is_empty() && name.bytes().all(is_token);
    if is_clear && !value.contains(['\r', '\n', '\0']) {
        Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
    } else {
        Err(format!("header line {line:?}"))
    }
}

/// Returns the text of bytes, each as one character.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
