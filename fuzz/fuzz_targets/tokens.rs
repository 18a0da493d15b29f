//! Verifies any text as a token: only one of ours is accepted, and none with a changed byte.
#![no_main]

mod server;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&[u8], u16, u8)| {
    let (bytes, at, with) = data;
    let server = server::server();
    let mut altered = server.token.clone().into_bytes();
    let at = usize::from(at) % altered.len();
    altered[at] = with;
    for token in [bytes, &altered] {
        if token == server.token.as_bytes() {
            continue;
        }
        let header = [b"Bearer ", token].concat();
        let request = Request::get("/v1/me").header("authorization", header).body(Body::empty());
        if let Ok(request) = request {
            assert_eq!(server.send(request).status(), StatusCode::UNAUTHORIZED);
        }
    }
});
