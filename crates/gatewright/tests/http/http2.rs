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

/// The error code by which a client cancels a stream.
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// The first byte of the head of an answer with the status 200 (RFC 7541, appendix A).
const OK: u8 = 0x88;

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

    /// Opens streams with a request, and resets each at once; returns how many until the server ends
    /// the connection.
    pub(crate) async fn reset_streams(port: u16, fields: &[(&str, &str)], most: u32) -> u32 {
        let (mut reader, mut writer) = Self::open(port, &[]).await.0.into_split();
        let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
        let reading = tokio::spawn(async move {
            let mut said = Vec::new();
            let _ = reader.read_to_end(&mut said).await;
        });
        for number in 0..most {
            let stream = 2 * number + 1;
            let begun = frame(HEADERS, END_STREAM | END_HEADERS, stream, &block);
            let bytes = [begun, frame(RESET, 0, stream, &CANCEL)].concat();
            if reading.is_finished() || writer.write_all(&bytes).await.is_err() {
                return number;
            }
            tokio::task::yield_now().await;
        }
        most
    }

    /// Reads a frame; returns its type, its flags and its stream.
    pub(crate) async fn read_frame(&mut self) -> Option<(u8, u8, u32)> {
        self.read().await.map(|(kind, flags, stream, _)| (kind, flags, stream))
    }

    /// Reads a frame, with its payload.
    async fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, number @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((kind, flags, u32::from_be_bytes(number), payload))
    }
}

/// Returns whether one request without a body is answered with 200.
pub(crate) async fn succeeds(port: u16, fields: &[(&str, &str)]) -> bool {
    send(port, fields).await == Some(OK)
}

/// Sends one request without a body, and waits until it is answered or refused. Returns the first
/// byte of the head of the answer, which tells the status, if there is one.
pub(crate) async fn send(port: u16, fields: &[(&str, &str)]) -> Option<u8> {
    let mut connection = Connection::open(port, &[]).await;
    connection.request(1, fields).await;
    let mut answer = None;
    loop {
        // An answer may have no end, as that to CONNECT has none.
        let patience = Duration::from_secs(if answer.is_some() { 1 } else { 30 });
        let read = tokio::time::timeout(patience, connection.read()).await;
        match read {
            Ok(Some((GOAWAY, ..) | (RESET, _, 1, _)) | None) => return answer,
            Ok(Some((kind, flags, 1, payload))) => {
                if kind == HEADERS {
                    answer = answer.or(payload.first().copied());
                }
                if flags & END_STREAM != 0 {
                    return answer;
                }
            }
            Ok(Some(_)) => {}
            Err(_) if answer.is_some() => return answer,
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
