//! The files that pages need, embedded in the program.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use gatewright_iam::StaticBody;

macro_rules! files {
    ($($name:literal: $kind:literal,)*) => {
        const FILES: &[(&str, &str, &[u8])] = &[
            $(($name, $kind, include_bytes!(concat!(env!("OUT_DIR"), "/files/", $name)))),*
        ];
    };
}

files! {
    "panel.css": "text/css; charset=utf-8",
    "panel.js": "text/javascript; charset=utf-8",
    "htmx.js": "text/javascript; charset=utf-8",
    "logo.svg": "image/svg+xml",
    "RedHatDisplayVF.woff2": "font/woff2",
    "RedHatMonoVF.woff2": "font/woff2",
    "RedHatTextVF.woff2": "font/woff2",
}

/// Returns the path of this build's static files. Each build has its own, so that browsers may
/// cache them permanently.
pub(crate) fn base_path() -> String {
    let mut all = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for (_, _, content) in FILES {
        all.update(content);
    }
    let digest = all.finish();
    let short = digest.as_ref().get(..6).unwrap_or(digest.as_ref());
    format!("/assets/{}", hex::encode(short))
}

/// Answers a request for a file.
pub(crate) fn serve(name: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let Some((_, kind, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    *response.body_mut() = Body::from(*content);
    response.extensions_mut().insert(StaticBody);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, keep);
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
