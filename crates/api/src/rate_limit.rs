//! The headers that tell a client how near it is to the limit of its rate
//! (draft-ietf-httpapi-ratelimit-headers).

use gatewright_iam::RateLimit;

/// Returns the headers `RateLimit-Policy` and `RateLimit`: structured fields (RFC 9651), each with
/// the name of the limit; the policy has the quota and its window, the state what is left and when
/// there is more.
pub(crate) fn rate_limit_headers(limit: &RateLimit) -> [(&'static str, String); 2] {
    let RateLimit { name, quota, window, remaining, seconds } = limit;
    let policy = format!("\"{name}\";q={quota};w={window}");
    let state = format!("\"{name}\";r={remaining};t={seconds}");
    [("ratelimit-policy", policy), ("ratelimit", state)]
}
