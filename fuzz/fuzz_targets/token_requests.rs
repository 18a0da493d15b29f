//! Sends any token request; the answer is never a server error, and never a token. The first line
//! of the input is the `Authorization` header, the rest is the body.
#![no_main]

mod server;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|&b| b == b'\n').unwrap_or(0);
    let (header, body) = data.split_at(at);
    // A valid token, for requests to introspect or revoke one.
    let body = [body, b"&token=", server::server().token.as_bytes()].concat();
    for path in ["/auth/oauth2/token", "/auth/oauth2/introspect", "/auth/oauth2/revoke"] {
        let mut request = Request::post(path);
        if !header.is_empty() {
            request = request.header("authorization", header);
        }
        if let Ok(request) = request.body(Body::from(body.clone())) {
            assert_ne!(server::server().send(request).status(), StatusCode::OK);
        }
    }
});
