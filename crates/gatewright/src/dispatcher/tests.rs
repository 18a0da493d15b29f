//! Tests of whole requests, in process: of their spans, of denials and of failures; and of connections.

mod captured_spans;
mod connections;
mod denials;
mod envoy;
mod failures;
mod installation;
mod spans;
