//! Tests of whole requests, in process: of their spans.

mod captured_spans;
mod installation;
mod spans;
