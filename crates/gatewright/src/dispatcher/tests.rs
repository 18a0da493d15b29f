//! Tests of whole requests, in process: of their spans, of denials and of failures.

mod captured_spans;
mod denials;
mod envoy;
mod failures;
mod installation;
mod spans;
