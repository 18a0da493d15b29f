//! Tests of whole requests, in process: of their spans, and of failures.

mod captured_spans;
mod envoy;
mod failures;
mod installation;
mod spans;
