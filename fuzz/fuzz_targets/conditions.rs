//! Parses, writes and compiles any condition: writing loses nothing, and compiling never panics.
#![no_main]

use gatewright_policy::{Condition, Policy, Region};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(condition) = serde_json::from_str::<Condition>(text) else { return };
    let written = serde_json::to_string(&condition).unwrap();
    assert_eq!(serde_json::from_str::<Condition>(&written).unwrap(), condition);
    let policy = Policy { conditions: Some(condition), ..Policy::default() };
    let _ = policy.compile(Region::Eu);
});
