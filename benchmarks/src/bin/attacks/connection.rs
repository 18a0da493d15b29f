//! A connection of the attacker.

use std::sync::Arc;
use std::time::Duration;

use gatewright_benchmarks::client::{Anyhow, read_answer};
use memchr::memmem;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::attacker::Attacker;

/// The time after which the attacker gives a request up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection for one request after the other, opened again when it ends.
pub(crate) struct AttackConnection {
    attacker: Arc<Attacker>,
    stream: Option<TcpStream>,
}

/// An answer to the attacker.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: Vec<u8>,
}

impl Reply {
    /// Checks whether it says that the connection ends.
    fn ends_connection(&self) -> bool {
        let head = memmem::find(&self.text, b"\r\n\r\n").unwrap_or_default();
        let head = self.text.get(..head).unwrap_or_default().to_ascii_lowercase();
        memmem::find(&head, b"connection: close").is_some()
    }
}

impl AttackConnection {
    pub(crate) fn new(attacker: &Arc<Attacker>) -> Self {
        Self { attacker: Arc::clone(attacker), stream: None }
    }

    /// Checks whether the last answer has left the connection open.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends a request and reads the answer; none if the server closed the connection instead.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Anyhow<Option<Reply>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.attacker.connect().await,
        };
        let (mut reader, mut writer) = stream.split();
        // Both at once: a refusal may come before everything is sent.
        let both = async { tokio::join!(writer.write_all(request), read_answer(&mut reader)) };
        let Ok((written, answer)) = timeout(PATIENCE, both).await else {
            self.attacker.count("no answer in a minute");
            return Ok(None);
        };
        let Ok(text) = answer else {
            self.attacker.pause("closed without an answer").await;
            return Ok(None);
        };
        let reply = Reply { status: self.attacker.judge(&text)?, text };
        if written.is_ok() && !reply.ends_connection() {
            self.stream = Some(stream);
        }
        Ok(Some(reply))
    }
}
