//! Frames that only a hostile client of HTTP/2 sends to the server's own listener.

use gatewright_testing::TestDatabase;
use url::Url;

use crate::http2::{self, Connection};
use crate::server::{Caller, Server};

const STREAMS: u32 = 2_000;

fn port(server: &Server) -> u16 {
    Url::parse(&server.url).unwrap().port().unwrap()
}

/// A page that is shown to everybody.
const PAGE: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/sign-in")];

/// Checks that the server goes on.
async fn works(admin: &Caller) {
    admin.get("/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_reset_at_once_end_no_server() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut attacks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let port = port(&server);
        attacks.spawn(async move { Connection::reset_streams(port, &PAGE, STREAMS).await });
    }
    works(&admin).await;
    // Each connection was ended, long before it has reset all.
    let sent = attacks.join_all().await;
    assert!(sent.iter().all(|sent| *sent < STREAMS), "{sent:?}");
    works(&admin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_unclear_pseudo_headers_is_refused() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let port = port(&server);
    assert!(http2::succeeds(port, &PAGE).await);
    let [method, scheme, authority, path] = PAGE;
    let unclear: &[&[(&str, &str)]] = &[
        &[method, scheme, authority],
        &[scheme, authority, path],
        &[method, authority, path],
        &[method, scheme, authority, path, path],
        &[method, scheme, authority, path, (":path", "/metrics")],
        &[method, method, scheme, authority, path],
        &[method, (":method", "DELETE"), scheme, authority, path],
        &[method, scheme, scheme, authority, path],
        &[method, scheme, authority, authority, path],
        &[method, scheme, authority, path, (":unknown", "x")],
        &[method, scheme, authority, path, (":status", "200")],
        &[method, scheme, authority, path, (":protocol", "websocket")],
        &[method, scheme, authority, ("accept", "*/*"), path],
        &[method, scheme, authority, (":Path", "/sign-in")],
        &[method, scheme, authority, path, ("X-Upper", "x")],
        &[method, scheme, authority, path, ("connection", "close")],
        &[method, scheme, authority, path, ("transfer-encoding", "chunked")],
        &[method, scheme, authority, path, ("te", "gzip")],
        &[method, scheme, authority, (":path", "")],
        &[method, scheme, authority, (":path", "sign-in")],
        &[method, scheme, authority, (":path", "/sign-in\r\nx: y")],
        &[method, scheme, authority, (":path", "/sign-in HTTP/1.1")],
        &[method, scheme, authority, path, ("", "x")],
        &[method, scheme, authority, path, ("x\n", "y")],
        &[method, scheme, authority, path, ("x", "y\r\nz: w")],
        &[method, scheme, (":authority", "a b"), path],
        &[(":method", "GET /"), scheme, authority, path],
        &[(":method", ""), scheme, authority, path],
        &[(":method", "CONNECT"), scheme, authority, path],
    ];
    for fields in unclear {
        assert!(!http2::succeeds(port, fields).await, "{fields:?}");
    }
    assert!(http2::succeeds(port, &PAGE).await);
    works(&admin).await;
}
