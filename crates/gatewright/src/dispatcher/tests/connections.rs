//! New connections: they do not wait for the general runtime.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::acceptor_pool::AcceptorPool;
use crate::config::Timeouts;
use crate::dispatcher::tests::installation::Installation;
use crate::listener::{BodyLimits, Budget, ConnectionLimits, ResponseMemory};
use crate::serve::bind;

#[tokio::test]
async fn a_new_connection_is_answered_while_the_general_runtime_does_nothing_else() {
    let installation = Installation::new().await;
    let bodies = Budget::of_clients(64 << 20);
    let timeouts = Timeouts::default();
    let responses = ResponseMemory::new(64 << 20, "clients");
    let limits = (timeouts.clone(), BodyLimits::new(timeouts.body, bodies), responses);
    let mut pool = AcceptorPool::start(installation.dispatcher(), &limits).unwrap();
    let listener: TcpListener = bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let connections =
        ConnectionLimits { total: 10, per_address: 10, trusted_proxies: Vec::new(), bodies };
    pool.accept(listener, connections).unwrap();

    // Nothing is awaited from here on: the runtime of this thread, which is the general one, stands still.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let request = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\
                   Connection: close\r\n\r\n{}";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");

    pool.close().await;
    assert!(TcpStream::connect(address).is_err(), "no connection is accepted any more");
    pool.shut_down().await;
}
