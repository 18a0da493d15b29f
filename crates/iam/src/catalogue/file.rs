//! The two forms of a product's file: our own, and an OpenAPI document with `x-iam-actions`.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_policy::{Permissions, PermissionsError};
use serde::Deserialize;
use uuid::Uuid;

use super::{Category, ManagedGroup, describe};
use crate::clock;

/// A product as its file declares it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Product {
    /// Its name, for people who read the file.
    #[serde(rename = "product")]
    _name: String,
    /// Types that have no action of their own.
    #[serde(default)]
    pub(super) resource_types: Vec<String>,
    #[serde(default)]
    pub(super) actions: Vec<Declared>,
    #[serde(default)]
    pub(super) permissions_groups: Vec<DeclaredGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Declared {
    pub(super) action: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) categories: Vec<Category>,
    #[serde(default)]
    pub(super) has_query_parameters: bool,
}

impl Declared {
    pub(super) fn new(action: &str, category: Option<Category>) -> Self {
        Self {
            action: action.to_owned(),
            description: None,
            categories: category.into_iter().collect(),
            has_query_parameters: false,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeclaredGroup {
    #[serde(default)]
    id: Option<Uuid>,
    pub(super) name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

impl DeclaredGroup {
    pub(super) fn compile(self) -> Result<ManagedGroup, PermissionsError> {
        let compiled = Arc::new(self.permissions.compile()?);
        let instant = |text: Option<String>| text.as_deref().and_then(clock::parse);
        Ok(ManagedGroup {
            id: self.id.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, self.name.as_bytes())),
            description: self.description.unwrap_or_else(|| describe::action(&self.name)),
            name: self.name,
            permissions: self.permissions,
            compiled,
            created_at: instant(self.created_at).unwrap_or_default(),
            updated_at: instant(self.updated_at),
        })
    }
}

/// What is read of an OpenAPI document.
#[derive(Deserialize)]
struct OpenApi {
    paths: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default, rename = "x-iam-actions")]
    actions: Vec<Needed>,
}

#[derive(Deserialize)]
struct Needed {
    name: String,
}

impl Product {
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Form {
            openapi: Option<serde::de::IgnoredAny>,
        }
        let form: Form = serde_json::from_str(text)?;
        if form.openapi.is_none() {
            return serde_json::from_str(text);
        }
        let document: OpenApi = serde_json::from_str(text)?;
        let mut product = Self::default();
        for (method, operation) in document.paths.into_values().flatten() {
            let Some(category) = category(&method) else { continue };
            let operation: Operation = serde_json::from_value(operation)?;
            for needed in operation.actions {
                let mut declared = Declared::new(&needed.name, Some(category));
                declared.description.clone_from(&operation.summary);
                product.actions.push(declared);
            }
        }
        Ok(product)
    }
}

/// What an operation of this method most likely does; none when the key is no method.
fn category(method: &str) -> Option<Category> {
    Some(match method {
        "get" | "head" => Category::Read,
        "post" => Category::Create,
        "put" | "patch" => Category::Edit,
        "delete" => Category::Delete,
        "options" | "trace" => Category::Operate,
        _ => return None,
    })
}
