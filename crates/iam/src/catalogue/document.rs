//! Parses and formats documents in JSON or YAML 1.2.

use std::borrow::Cow;

use serde::de::Error;
use serde_json::Value;

/// Parses a document in JSON or YAML.
pub fn read_document(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&in_json(text)?)
}

/// Converts a document in JSON or YAML to JSON.
pub(crate) fn in_json(text: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if !is_yaml(text) {
        return Ok(Cow::Borrowed(text));
    }
    // `no` and `off` are strings in the YAML schema that OpenAPI uses (OpenAPI 3.0.3, "Format").
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let document = serde_saphyr::from_str_with_options::<Value>(text, options);
    Ok(Cow::Owned(document.map_err(serde_json::Error::custom)?.to_string()))
}

/// Serializes a document in the format (JSON or YAML) of another document.
pub(crate) fn like(other: &str, document: &Value) -> Result<String, serde_json::Error> {
    if is_yaml(other) {
        serde_saphyr::to_string(document).map_err(serde_json::Error::custom)
    } else {
        serde_json::to_string_pretty(document)
    }
}

/// Removes the whitespace between the tokens of a JSON text.
pub(crate) fn compact(json: &str) -> String {
    let (mut is_string, mut is_escaped) = (false, false);
    let mut keep = |one: char| {
        let is_kept = is_string || !one.is_ascii_whitespace();
        match one {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_string,
            '"' => is_string = !is_string,
            _ => {}
        }
        is_kept
    };
    let mut text = String::with_capacity(json.len());
    text.extend(json.chars().filter(|one| keep(*one)));
    text
}

/// Appends a field to the text of a JSON object that has others.
pub(crate) fn with_field(object: &str, key: &str, value: &str) -> String {
    let others = object.strip_suffix('}').unwrap_or(object);
    format!("{others},{}:{}}}", Value::from(key), Value::from(value))
}

/// Returns whether a text is YAML: a document is an object, which begins with a brace in JSON.
fn is_yaml(text: &str) -> bool {
    let text = text.trim_start();
    !text.is_empty() && !text.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_document_reads_the_same_in_yaml() {
        let text = "openapi: 3.0.3\nx: &x {off: no, y: [1, ~, true]}\npaths:\n  /a:\n    200: *x\n";
        let x = json!({"off": "no", "y": [1, null, true]});
        let document = json!({"openapi": "3.0.3", "x": x, "paths": {"/a": {"200": x}}});
        assert_eq!(read_document(text).unwrap(), document);
        assert_eq!(read_document(&document.to_string()).unwrap(), document);
    }

    #[test]
    fn a_text_keeps_its_strings_when_its_whitespace_is_removed() {
        let text = " { \"a b\" : [ \"c \\\" , d\", \"\\\\\" , -1.50e3 ] ,\n\t\"é\": { } } ";
        let short = "{\"a b\":[\"c \\\" , d\",\"\\\\\",-1.50e3],\"é\":{}}";
        assert_eq!(compact(text), short);
        let longer = with_field(short, "x", "y\"");
        let mut document = read_document(short).unwrap();
        document["x"] = json!("y\"");
        assert_eq!(read_document(&longer).unwrap(), document);
    }

    #[test]
    fn what_is_neither_json_nor_yaml_is_refused_with_its_place() {
        for (text, said) in [
            ("", "EOF"),
            ("{", "EOF"),
            ("a: [1", "line 1"),
            ("a: 1\na: 2", "duplicate"),
            ("a: 1\n---\nb: 2", "multiple"),
        ] {
            let error = read_document(text).map(|document| document.to_string()).unwrap_err();
            assert!(error.to_string().contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_document_that_names_itself_over_and_over_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let name = format!("*a{},", level - 1).repeat(9);
            text = format!("{text}a{level}: &a{level} [{name}]\n");
        }
        assert!(read_document(&text).is_err());
        let long = "x".repeat(1_000_000);
        assert!(read_document(&format!("a: &a {long}\nb: [{}]", "*a,".repeat(1_000))).is_err());
    }

    proptest! {
        #[test]
        fn a_text_survives_being_written_in_yaml(text in "\\PC{0,12}|no|~|1e3|[-?:!&*#|> \n]{0,4}") {
            let document = json!({ "a": { text.clone(): [text] } });
            let written = like("a: b", &document).unwrap();
            prop_assert_eq!(read_document(&written).unwrap(), document);
        }

        #[test]
        fn whatever_is_read_is_read_or_refused(text in "[a:\\-{}\\[\\]&*,|>!%@#~'\" \n\t0-9]{0,40}") {
            let _ = read_document(&text);
        }
    }
}
