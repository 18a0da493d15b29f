//! The OpenAPI documents, made from the list of operations.

use std::sync::Arc;

use axum::http::StatusCode;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::endpoint::{Function, Handler};
use crate::error::ApiError;
use crate::operation::{Declaration, Operation, ParameterKind, Tree};
use crate::respond::Described;
use crate::response::Response;
use crate::schema::Components;

/// The documents, each with its name, and the URL below which they are.
#[derive(Clone)]
pub(crate) struct Documents {
    documents: Arc<[(&'static str, String)]>,
    url: Arc<str>,
}

impl Documents {
    /// Makes the documents of a server.
    pub(crate) fn of(operations: &[Operation], url: &str) -> Self {
        let documents = [
            ("v1", Tree::V1, format!("{url}/v1")),
            ("v2", Tree::V2, format!("{url}/v2")),
            ("oauth2", Tree::Root, url.to_owned()),
        ];
        let documents = documents
            .map(|(name, tree, server)| (name, document(operations, tree, &server).to_string()));
        Self { documents: Arc::new(documents), url: url.into() }
    }

    /// Answers `/openapi` with the list of the documents, and what is below it with one of them.
    pub(crate) fn respond(&self, path: &str) -> Result<Response, ApiError> {
        let path = path.trim_matches('/');
        let Some(name) = path.strip_prefix("openapi") else {
            return Err(ApiError::no_route());
        };
        let name = name.trim_start_matches('/').trim_end_matches(".json");
        if name.is_empty() {
            let url = &self.url;
            let urls = self.documents.iter().map(|(name, _)| format!("{url}/openapi/{name}.json"));
            return Ok(Response::json(StatusCode::OK, &urls.collect::<Vec<_>>())?);
        }
        let document = self.documents.iter().find(|(one, _)| *one == name);
        let (_, text) = document.ok_or_else(ApiError::no_route)?;
        Ok(Response::with_text(StatusCode::OK, text.clone()))
    }
}

/// Makes the document of one tree.
fn document(operations: &[Operation], tree: Tree, server: &str) -> Value {
    let mut components = Components::default();
    let mut paths: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    for operation in operations.iter().filter(|operation| operation.declared.tree == tree) {
        let method = operation.declared.method.as_str().to_lowercase();
        let described = describe(operation, &mut components);
        paths.entry(operation.declared.path).or_default().insert(method, described);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatewright",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Service accounts and access policies for any API",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn describe(operation: &Operation, components: &mut Components) -> Value {
    let declared = &operation.declared;
    let mut described = Map::new();
    let mut say = |key: &str, value: Value| drop(described.insert(key.to_owned(), value));
    let content = |media_type: &str, schema: Value| json!({ media_type: { "schema": schema } });
    let request_body = operation.request_body.map(|describe| {
        let types = describe(components).into_iter();
        let types = types.map(|(name, schema)| (name.to_owned(), json!({ "schema": schema })));
        json!({"required": true, "content": types.collect::<Map<_, _>>()})
    });
    let response = (operation.response)(components);
    say("summary", declared.summary.into());
    say("parameters", parameters(declared, &response).into());
    if let Some(request_body) = request_body {
        say("requestBody", request_body);
    }
    let mut done = json!({"description": "done"});
    if let (Some((media_type, schema)), Some(done)) = (response.content, done.as_object_mut()) {
        done.insert("content".to_owned(), content(media_type, schema));
    }
    say("responses", json!({ response.status.as_str(): done }));
    let requires = declared.requires.iter();
    say("x-iam-actions", requires.map(|name| json!({"name": name, "required": true})).collect());
    if let Some(expanded) = response.expanded {
        say("x-expanded-response", expanded);
    }
    if declared.extension {
        say("x-gatewright-extension", true.into());
    }
    if matches!(operation.handler, Handler::Function(Function::Authenticated(_))) {
        say("security", json!([{"bearer": []}]));
    }
    described.into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::operations;

    /// The documents in the repository; `GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-api` writes
    /// them anew.
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
}
