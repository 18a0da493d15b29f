//! The OpenAPI document, made from the table of calls.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::operation::{Handler, Operation, ParameterKind, Tree};

/// Describes what a call takes or gives, and adds to the components what that refers to.
pub(crate) type Shape = fn(&mut Components) -> Value;

/// The types that calls refer to, by name.
#[derive(Default)]
pub(crate) struct Components(IndexMap<String, Value>);

impl Components {
    fn add<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        schemas.push((name.clone(), T::schema()));
        for (name, schema) in schemas {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            self.0.entry(name).or_insert(schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// An object.
    pub(crate) fn one<T: ToSchema>(&mut self) -> Value {
        self.add::<T>()
    }

    /// An array of objects.
    pub(crate) fn many<T: ToSchema>(&mut self) -> Value {
        let items = self.add::<T>();
        json!({"type": "array", "items": items})
    }
}

/// An array of texts.
pub(crate) fn texts(_: &mut Components) -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

/// An array of whole numbers.
pub(crate) fn numbers(components: &mut Components) -> Value {
    json!({"type": "array", "items": number(components)})
}

/// A whole number.
pub(crate) fn number(_: &mut Components) -> Value {
    json!({"type": "integer", "format": "int64"})
}

/// The document of one tree.
pub(crate) fn document(table: &[Operation], tree: Tree, server: &str) -> Value {
    let mut components = Components::default();
    let mut paths: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    for operation in table.iter().filter(|operation| operation.tree == tree) {
        let method = operation.method.as_str().to_lowercase();
        let described = describe(operation, &mut components);
        paths.entry(operation.path).or_default().insert(method, described);
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
            "schemas": components.0,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn describe(operation: &Operation, components: &mut Components) -> Value {
    let body = |schema: Value| json!({"application/json": {"schema": schema}});
    let requires =
        operation.requires.iter().map(|action| json!({"name": action, "required": true}));
    let mut described = Map::new();
    let mut say = |key: &str, value: Value| drop(described.insert(key.to_owned(), value));
    say("summary", operation.summary.into());
    say("parameters", parameters(operation).into());
    if let Some(request_body) = operation.request_body {
        say("requestBody", json!({"required": true, "content": body(request_body(components))}));
    }
    let responses = match operation.response {
        Some(response) => {
            json!({"200": {"description": "done", "content": body(response(components))}})
        }
        None if operation.tree == Tree::V2 => json!({"204": {"description": "done"}}),
        None => json!({"200": {"description": "done"}}),
    };
    say("responses", responses);
    say("x-iam-actions", requires.collect());
    if let Some(expands_to) = operation.expands_to {
        say("x-expanded-response", expands_to(components));
    }
    if operation.extension {
        say("x-gatewright-extension", true.into());
    }
    if matches!(operation.handler, Handler::Authenticated(_)) {
        say("security", json!([{"bearer": []}]));
    }
    described.into()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut parameters = Vec::new();
    let names = operation.path.split('/').filter_map(|part| part.strip_prefix('{'));
    for name in names.map(|name| name.trim_end_matches('}')) {
        parameters.push(json!({
            "in": "path", "name": name, "required": true, "schema": {"type": "string"},
        }));
    }
    for parameter in operation.query {
        let schema = match parameter.kind {
            ParameterKind::Flag => json!({"type": "boolean"}),
            ParameterKind::Text => json!({"type": "string"}),
            ParameterKind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        };
        parameters.push(json!({"in": "query", "name": parameter.name, "schema": schema}));
    }
    let mut headers = Vec::new();
    if operation.paged {
        headers.extend([("X-Pagination-Cursor", "string"), ("X-Pagination-Size", "integer")]);
    }
    if operation.expands_to.is_some() {
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
