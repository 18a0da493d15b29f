//! Sends requests over HTTP/2, frame by frame, which no library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const HEADERS: u8 = 1;
pub(crate) const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The identifier of the setting of the window that streams begin with.
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// A connection of HTTP/2.
pub(crate) struct Connection(TcpStream);

impl Connection {
    /// Connects, with settings.
    async fn open(port: u16, settings: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let bytes = [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat();
        stream.write_all(&bytes).await.unwrap();
        Self(stream)
    }

    /// Connects as a client that takes so many bytes of each response, and no more.
    pub(crate) async fn open_with_window(port: u16, window: u32) -> Self {
        let setting = [&INITIAL_WINDOW_SIZE[..], &window.to_be_bytes()].concat();
        Self::open(port, &setting).await
    }

    /// Sends a request without a body.
    pub(crate) async fn request(&mut self, stream: u32, fields: &[(&str, &str)]) {
        let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
        let bytes = frame(HEADERS, END_STREAM | END_HEADERS, stream, &block);
        self.0.write_all(&bytes).await.unwrap();
    }

    /// Reads a frame; returns its type, its flags and its stream.
    pub(crate) async fn read_frame(&mut self) -> Option<(u8, u8, u32)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, number @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((kind, flags, u32::from_be_bytes(number)))
    }
}

/// Sends one request without a body, and waits until it is answered or refused.
pub(crate) async fn send(port: u16, fields: &[(&str, &str)]) {
    let mut connection = Connection::open(port, &[]).await;
    connection.request(1, fields).await;
    let mut has_answer = false;
    loop {
        // An answer may have no end, as that to CONNECT has none.
        let patience = Duration::from_secs(if has_answer { 1 } else { 30 });
        let read = tokio::time::timeout(patience, connection.read_frame()).await;
        match read {
            Ok(Some((GOAWAY, ..) | (RESET, _, 1)) | None) => return,
            Ok(Some((_, flags, 1))) if flags & END_STREAM != 0 => return,
            Ok(Some((HEADERS, _, 1))) => has_answer = true,
            Ok(Some(_)) => {}
            Err(_) if has_answer => return,
            Err(late) => panic!("{fields:?} is not answered: {late}"),
        }
    }
}

/// Encodes a field without compression (RFC 7541, section 6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        if let Ok(short @ ..127) = u8::try_from(text.len()) {
            bytes.push(short);
        } else {
            bytes.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}
