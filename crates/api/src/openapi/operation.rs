//! Describes an operation in an OpenAPI document.

use serde_json::{Map, Value, json};

use super::{errors, examples};
use crate::endpoint::{Function, Handler};
use crate::operation::{Declaration, Operation, ParameterKind};
use crate::respond::Described;
use crate::schema::Components;

/// Describes an operation.
pub(super) fn describe(operation: &Operation, components: &mut Components) -> Value {
    let declared = &operation.declared;
    let mut described = Map::new();
    let mut say = |key: &str, value: Value| drop(described.insert(key.to_owned(), value));
    let request_body = operation.request_body.map(|body| {
        let types = (body.describe)(components).into_iter().map(|(media_type, schema)| {
            let example = examples::of(&schema).or_else(|| declared.request_example.map(|of| of()));
            (media_type.to_owned(), content(&schema, example.as_ref()))
        });
        json!({"required": true, "content": types.collect::<Map<_, _>>()})
    });
    let response = (operation.response)(components);
    say("summary", declared.summary.into());
    say("parameters", parameters(declared, &response).into());
    if let Some(request_body) = request_body {
        say("requestBody", request_body);
    }
    let mut responses = Map::new();
    responses.insert(response.status.as_str().to_owned(), success(declared, &response));
    if response.is_tagged {
        let description = "the client has it already (If-None-Match)";
        responses.insert("304".to_owned(), json!({ "description": description }));
    }
    for (status, error) in errors::describe(operation, components) {
        responses.insert(status.as_str().to_owned(), error);
    }
    say("responses", responses.into());
    let requires = declared.requires.iter();
    say("x-iam-actions", requires.map(|name| json!({"name": name, "required": true})).collect());
    if let Some((schema, _)) = response.expanded {
        say("x-expanded-response", schema);
    }
    if declared.extension {
        say("x-gatewright-extension", true.into());
    }
    if matches!(operation.handler, Handler::Function(Function::Authenticated(_))) {
        say("security", json!([{"bearer": []}]));
    }
    described.into()
}

fn content(schema: &Value, example: Option<&Value>) -> Value {
    match example {
        Some(example) => json!({"schema": schema, "example": example}),
        None => json!({ "schema": schema }),
    }
}

fn success(declared: &Declaration, response: &Described) -> Value {
    let mut success = Map::new();
    success.insert("description".to_owned(), "The operation succeeded.".into());
    if let Some((media_type, schema)) = &response.content {
        let ids = response.expanded.as_ref().and_then(|(whole, id)| {
            let id = examples::of(whole)?.get(id)?.clone();
            Some(json!([id]))
        });
        let own = declared.response_example.map(|of| of());
        let example = own.or(ids).or_else(|| examples::of(schema));
        success.insert(
            "content".to_owned(),
            json!({ *media_type: content(schema, example.as_ref()) }),
        );
    }
    if !response.headers.is_empty() {
        let header = |name: &&str| ((*name).to_owned(), json!({"schema": {"type": "string"}}));
        let headers: Map<String, Value> = response.headers.iter().map(header).collect();
        success.insert("headers".to_owned(), headers.into());
    }
    success.into()
}

fn parameters(declared: &Declaration, response: &Described) -> Vec<Value> {
    let mut parameters = Vec::new();
    let names = declared.parts.iter().filter_map(|part| part.strip_prefix('{'));
    for name in names.map(|name| name.trim_end_matches('}')) {
        parameters.push(json!({
            "in": "path", "name": name, "required": true, "schema": {"type": "string"},
        }));
    }
    for parameter in declared.query {
        let schema = match parameter.kind {
            ParameterKind::Flag => json!({"type": "boolean"}),
            ParameterKind::Text => json!({"type": "string"}),
            ParameterKind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        };
        parameters.push(json!({"in": "query", "name": parameter.name, "schema": schema}));
    }
    let mut headers = Vec::new();
    if response.is_tagged {
        headers.push(("If-None-Match", "string"));
    }
    if declared.is_creation() {
        headers.push(("Idempotency-Key", "string"));
    }
    if declared.is_conditional() {
        headers.extend([("If-Match", "string"), ("If-None-Match", "string")]);
    }
    if response.is_page {
        headers.extend([("X-Pagination-Cursor", "string"), ("X-Pagination-Size", "integer")]);
    }
    if response.expanded.is_some() {
        headers.extend([
            ("X-Pagination-Mode", "string"),
            ("X-Pagination-Number", "integer"),
            ("X-Pagination-Size", "integer"),
            ("X-Pagination-Sort", "string"),
            ("X-Pagination-Sort-Order", "string"),
            ("X-Pagination-Filter", "string"),
        ]);
    }
    for (name, kind) in headers {
        parameters.push(json!({"in": "header", "name": name, "schema": {"type": kind}}));
    }
    parameters
}
