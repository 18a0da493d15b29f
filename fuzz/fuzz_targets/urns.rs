//! Any text is an URN, a pattern, an action, or refused; what is read prints as itself.
#![no_main]

use gatewright_policy::{Identity, Pattern, Plate, ResourcePattern, ResourceUrn, check_action};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(pattern) = Pattern::parse(text) {
        assert_eq!(pattern.to_string(), text);
        assert!(pattern.matches(&text.replace('*', "")));
    }
    if let Ok(urn) = ResourceUrn::parse(text, Plate::Eu) {
        assert_eq!(ResourceUrn::parse(urn.urn(), Plate::Eu).as_ref(), Ok(&urn));
        assert!(ResourcePattern::parse(text, Plate::Eu).is_ok());
        assert!(!urn.urn().contains('*'));
    }
    if let Ok(identity) = Identity::parse(text, Plate::Eu) {
        assert_eq!(Identity::parse(identity.urn(), Plate::Eu).as_ref(), Ok(&identity));
    }
    let _ = ResourcePattern::parse(text, Plate::Eu);
    let _ = check_action(text);
});
