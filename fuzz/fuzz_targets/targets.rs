//! Any target of a request is refused, or has parts that mean the same to whoever decodes them again.
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
