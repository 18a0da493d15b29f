//! Reads the `Idempotency-Key` of a creation (draft-ietf-httpapi-idempotency-key-header).

use axum::http::HeaderMap;
use gatewright_iam::{Fault, IamError, Input};

/// The header.
const NAME: &str = "idempotency-key";

/// The maximum length of a key.
const MAX_LENGTH: usize = 255;

/// Reads the key of a request, if it has one. The draft demands a text in quotes; one without them,
/// as many clients send it, is the same key.
pub(crate) fn read(headers: &HeaderMap) -> Input<Option<String>> {
    let mut values = headers.get_all(NAME).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().and_then(parse).filter(|_| values.next().is_none());
    key.map(Some).ok_or_else(|| {
        let message = "Idempotency-Key must be one text of 1 to 255 visible characters, as in \
                       \"8e03978e-40d5-43dd-bc93-6894a57f9324\"";
        IamError::invalid(Fault::Format, message)
    })
}

fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => unescape(rest.strip_suffix('"')?)?,
        None if text.contains('"') => return None,
        None => text.to_owned(),
    };
    let is_sound = !key.is_empty() && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    Some(key).filter(|key| is_sound && key.len() <= MAX_LENGTH)
}

/// Removes the escapes of a string in a structured field (RFC 8941, section 3.3.3).
fn unescape(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        key.push(match c {
            '\\' => rest.next().filter(|c| matches!(c, '"' | '\\'))?,
            '"' => return None,
            c => c,
        });
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_a_text_with_or_without_quotes() {
        assert_eq!(parse("\"8e03978e\"").as_deref(), Some("8e03978e"));
        assert_eq!(parse("8e03978e").as_deref(), Some("8e03978e"));
        assert_eq!(parse("\"a b\\\"\\\\\"").as_deref(), Some("a b\"\\"));
        for wrong in ["", "\"\"", "\"", "a\"b", "\"a", "\"a\\n\"", "\"a\" b", &"x".repeat(256)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\\\\"a ]{0,9}|\\PC{0,9}") {
            if let Some(key) = parse(&text) {
                prop_assert!(!key.is_empty());
            }
        }
    }
}
