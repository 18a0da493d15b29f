//! Sends any request with full access; the answer is never a server error. The first line of the
//! input is the method and the path, the rest is the body.
#![no_main]

mod server;

use axum::body::Body;
use axum::http::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let (method, path) = line.split_once(' ').unwrap_or(("POST", line));
    let server = server::server();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", server.token))
        .body(Body::from(body.to_owned()));
    if let Ok(request) = request {
        server.send(request);
    }
});
