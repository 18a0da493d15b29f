//! Reads any text as a document, or refuses it; the proposal for a document is a document.
#![no_main]

use gatewright_iam::{propose, read_document};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(document) = read_document(text)
        && document.is_object()
    {
        assert!(read_document(&document.to_string()).unwrap().is_object());
    }
    if let Ok(proposal) = propose(text, Some("xx11111-ovh")) {
        assert!(read_document(&proposal).unwrap().is_object());
    }
});
