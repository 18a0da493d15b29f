//! The OpenAPI documents, generated from the list of operations.

mod errors;
mod examples;
mod operation;

use std::sync::Arc;

use axum::http::StatusCode;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::operation::{DOCUMENTS, Operation, Tree};
use crate::response::Response;
use crate::schema::Components;

/// The OpenAPI documents by name, and the URL below which they are served.
#[derive(Clone)]
pub(crate) struct Documents {
    documents: Arc<[(&'static str, String)]>,
    url: Arc<str>,
}

impl Documents {
    /// Generates the documents of a server.
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

    /// Answers `/openapi` with the list of documents, and a path below it with one of them.
    pub(crate) fn respond(&self, path: &str) -> Result<Response, ApiError> {
        let path = path.trim_matches('/');
        let Some(name) = path.strip_prefix(DOCUMENTS) else {
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

/// Generates the document of one tree of URLs.
fn document(operations: &[Operation], tree: Tree, server: &str) -> Value {
    let mut components = Components::default();
    let mut paths: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    for operation in operations.iter().filter(|operation| operation.declared.tree == tree) {
        let method = operation.declared.method.as_str().to_lowercase();
        let described = operation::describe(operation, &mut components);
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

#[cfg(test)]
mod tests;
