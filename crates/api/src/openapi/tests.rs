//! Compares the documents with those in the repository, and validates the examples.

use super::*;
use crate::operations::operations;

/// `GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-api` renews the documents in the repository.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn the_documents_in_the_repository_are_those_of_the_server() {
    let documents = Documents::of(&operations(), "https://iam.example.com");
    for (name, text) in documents.documents.iter() {
        let document: Value = serde_json::from_str(text).unwrap();
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        let file = format!("{}/../../docs/openapi/{name}.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GATEWRIGHT_WRITE_DOCS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            there == text,
            "docs/openapi/{name}.json is out of date: \
             run GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-api, and look at the difference"
        );
    }
}

fn documents() -> Vec<Value> {
    let documents = Documents::of(&operations(), "https://iam.example.com");
    documents.documents.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
}

/// Returns the first mismatch of a value with a schema.
fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return misfit(document, &document["components"]["schemas"][name], value, at);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let mut misfits = choices.iter().map(|one| misfit(document, one, value, at));
            return if misfits.any(|one| one.is_none()) {
                None
            } else {
                Some(format!("{at}: no choice"))
            };
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = |one: &Value| one == kind;
    let fits = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(allowed),
        Value::Null => true,
        one => allowed(one),
    };
    if !fits {
        return Some(format!("{at}: {kind} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Some(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return Some(format!("{at}: {name} is missing"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let Some(properties) = schema["properties"].as_object() else { break };
        // The schema of a fact names only its kind: the other fields depend on it.
        let Some(property) = properties.get(name) else {
            if properties.len() == 1 {
                continue;
            }
            return Some(format!("{at}: {name} is unknown"));
        };
        if let Some(wrong) = misfit(document, property, field, &format!("{at}.{name}")) {
            return Some(wrong);
        }
    }
    let items = value.as_array().into_iter().flatten();
    items
        .filter(|_| schema["items"].is_object())
        .find_map(|item| misfit(document, &schema["items"], item, &format!("{at}[]")))
}

#[test]
fn each_body_has_an_example_that_fits_its_schema() {
    for document in documents() {
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let request = &operation["requestBody"]["content"];
                let responses = operation["responses"].as_object().unwrap();
                let bodies = responses.values().map(|response| &response["content"]);
                for content in bodies.chain([request]).filter_map(Value::as_object) {
                    for (media_type, body) in content {
                        let at = format!("{method} {path} {media_type}");
                        assert!(body.get("example").is_some(), "{at} has no example");
                        let wrong = misfit(&document, &body["schema"], &body["example"], "example");
                        assert_eq!(wrong, None, "{at}");
                    }
                }
            }
        }
    }
}

#[test]
fn each_example_of_a_request_is_one_that_is_taken() {
    for operation in operations() {
        let Some(body) = operation.request_body else { continue };
        let mut components = Components::default();
        let described = operation::describe(&operation, &mut components);
        let contents = described["requestBody"]["content"].as_object().unwrap();
        for content in contents.values() {
            let taken = (body.check)(&content["example"]);
            assert_eq!(taken, Ok(()), "{} {}", operation.declared.method, operation.declared.path);
        }
    }
}
