//! Clients that ask and never read.

use std::sync::Arc;

use gatewright_benchmarks::client::Anyhow;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::attacker::{Attacker, Tasks};

const CONNECTIONS: usize = 300;

pub(crate) fn launch(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for _ in 0..CONNECTIONS {
        tasks.spawn(ask(Arc::clone(attacker)));
    }
}

/// Asks for large documents until the server ends the connection, and reads nothing.
async fn ask(attacker: Arc<Attacker>) -> Anyhow<()> {
    let request = "GET /openapi/v2.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(64);
    // A small buffer, so that the responses wait in the server.
    let socket = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4_096)?;
        Ok(socket)
    };
    loop {
        let mut stream = attacker.connect_with(socket).await;
        while stream.write_all(request.as_bytes()).await.is_ok() {}
        attacker.pause("closed").await;
    }
}
