//! Splits any request target, or refuses it; the parts mean the same when they are decoded again.
#![no_main]

use gatewright_iam::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(target) = Target::parse(text) {
        for part in target.parts() {
            assert!(!part.is_empty() && part != "." && part != "..");
            assert!(!part.contains(['/', '\\', '%', ';', '?', '#']));
            assert!(!part.chars().any(char::is_control));
        }
    }
});
