//! Parses any text as a URN, a pattern or an action, or refuses it; a parsed one prints as it was.
#![no_main]

use gatewright_policy::{Identity, Pattern, Region, ResourcePattern, ResourceUrn, check_action};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(pattern) = Pattern::parse(text) {
        assert_eq!(pattern.to_string(), text);
        assert!(pattern.matches(&text.replace('*', "")));
    }
    if let Ok(urn) = ResourceUrn::parse(text, Region::Eu) {
        assert_eq!(ResourceUrn::parse(urn.urn(), Region::Eu).as_ref(), Ok(&urn));
        assert!(ResourcePattern::parse(text, Region::Eu).is_ok());
        assert!(!urn.urn().contains('*'));
    }
    if let Ok(identity) = Identity::parse(text, Region::Eu) {
        assert_eq!(Identity::parse(identity.urn(), Region::Eu).as_ref(), Ok(&identity));
    }
    let _ = ResourcePattern::parse(text, Region::Eu);
    let _ = check_action(text);
});
