//! Parses product files: our own format, and OpenAPI documents with `x-iam-actions`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gatewright_policy::{AccountName, Instant, Permissions, PermissionsError, PermissionsGroupId};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::catalogue::action::{Action, ManagedGroup};
use crate::catalogue::describe;
use crate::catalogue::document::in_json;
use crate::catalogue::route::{DeclaredRoute, Locator};
use crate::model::rights::Category;
use crate::model::strict_objects::{from_json_value, parse_json};

/// A product, as its file declares it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Product {
    /// The name, for people who read the file.
    #[serde(rename = "product")]
    _name: String,
    /// The resource types that have no action of their own.
    #[serde(default)]
    pub(crate) resource_types: Vec<String>,
    #[serde(default)]
    pub(crate) actions: Vec<Declared>,
    #[serde(default)]
    pub(crate) permissions_groups: Vec<DeclaredGroup>,
    /// The guarded API that the file declares.
    #[serde(skip)]
    pub(crate) api: Option<DeclaredApi>,
}

/// A guarded API, as an OpenAPI document declares it.
#[derive(Debug)]
pub(crate) struct DeclaredApi {
    /// The name; none where the API has the name of its file.
    pub(crate) name: Option<String>,
    pub(crate) account: Option<AccountName>,
    pub(crate) servers: Vec<String>,
    pub(crate) routes: Vec<DeclaredRoute>,
    /// `true` if allowed requests carry an identity assertion.
    pub(crate) asserts_identity: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Declared {
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) categories: Vec<Category>,
    #[serde(default)]
    pub(crate) has_query_parameters: bool,
}

impl From<Declared> for Action {
    fn from(declared: Declared) -> Self {
        let Declared { action, description, mut categories, has_query_parameters } = declared;
        categories.sort_unstable();
        categories.dedup();
        let description = description.unwrap_or_else(|| describe::action(&action));
        Self { name: action.into(), description, categories, has_query_parameters }
    }
}

impl Declared {
    pub(crate) fn new(action: &str, category: Option<Category>) -> Self {
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
pub(crate) struct DeclaredGroup {
    #[serde(default)]
    id: Option<PermissionsGroupId>,
    pub(crate) name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default, deserialize_with = "instant")]
    created_at: Option<Instant>,
    #[serde(default, deserialize_with = "instant")]
    updated_at: Option<Instant>,
}

/// Parses a date and time, as files have it.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    Instant::parse(&text).map(Some).ok_or_else(|| {
        D::Error::custom(format!("{text:?} is no date and time like 2026-12-31T23:59:59Z"))
    })
}

impl DeclaredGroup {
    pub(crate) fn compile(self) -> Result<ManagedGroup, PermissionsError> {
        let compiled = Arc::new(self.permissions.compile()?);
        Ok(ManagedGroup {
            id: self
                .id
                .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, self.name.as_bytes()).into()),
            description: self.description.unwrap_or_else(|| describe::action(&self.name)),
            name: self.name,
            permissions: self.permissions,
            compiled,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// The parts of an OpenAPI document that are used.
#[derive(Deserialize)]
struct OpenApi {
    /// The text of each part of a path item: as values they would take many times its memory, so
    /// only one at a time is parsed.
    paths: BTreeMap<String, BTreeMap<String, Box<RawValue>>>,
    #[serde(default)]
    servers: Vec<Server>,
    #[serde(default, rename = "x-iam-api")]
    name: Option<String>,
    #[serde(default, rename = "x-iam-account")]
    account: Option<AccountName>,
    #[serde(default, rename = "x-iam-resource")]
    resources: Option<Locators>,
    #[serde(default, rename = "x-iam-assertion", deserialize_with = "assertion")]
    asserts_identity: bool,
}

/// The extension by which a document demands identity assertions.
const ASSERTION: &str = "x-iam-assertion";

/// Parses [`ASSERTION`]; the error names the extension, which serde's would not.
fn assertion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let wrong = |_| D::Error::custom(format!("{ASSERTION} must be true or false"));
    bool::deserialize(deserializer).map_err(wrong)
}

/// Creates the error of [`ASSERTION`] on a path or an operation, where it would have no effect.
fn misplaced_assertion(path: &str) -> serde_json::Error {
    serde_json::Error::custom(format!(
        "{path}: {ASSERTION} is about the whole API: move it to the top of the document"
    ))
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

/// One locator, or a list of them.
#[derive(Clone)]
struct Locators(Vec<Locator>);

impl<'de> Deserialize<'de> for Locators {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Locators;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Locators, A::Error> {
        let one = Locator::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Locators(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Locators, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(Locators)
    }
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default, rename = "x-iam-actions")]
    actions: Vec<DeclaredAction>,
    #[serde(default, rename = "x-iam-resource")]
    resources: Option<Locators>,
    #[serde(default, rename = "x-iam-public")]
    public: bool,
    #[serde(default, rename = "x-iam-upgrade")]
    upgrades: bool,
}

#[derive(Deserialize)]
struct DeclaredAction {
    name: String,
    #[serde(default = "yes")]
    required: bool,
}

fn yes() -> bool {
    true
}

impl Product {
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Form {
            openapi: Option<serde::de::IgnoredAny>,
        }
        let text = &in_json(text)?;
        let form: Form = parse_json(text)?;
        if form.openapi.is_none() {
            return parse_json(text);
        }
        let document: OpenApi = parse_json(text)?;
        let mut product = Self::default();
        let mut routes = Vec::new();
        for (path, mut item) in document.paths {
            if item.contains_key(ASSERTION) {
                return Err(misplaced_assertion(&path));
            }
            let of_path =
                item.remove("x-iam-resource").map(|one| parse_json::<Locators>(one.get()));
            let of_path = of_path.transpose()?.or_else(|| document.resources.clone());
            for (method, operation) in item {
                let Some(category) = category(&method) else { continue };
                let operation: Value = serde_json::from_str(operation.get())?;
                if operation.get(ASSERTION).is_some() {
                    return Err(misplaced_assertion(&path));
                }
                let operation: Operation = from_json_value(operation)?;
                for action in &operation.actions {
                    let mut declared = Declared::new(&action.name, Some(category));
                    declared.description.clone_from(&operation.summary);
                    product.actions.push(declared);
                }
                let resources = operation.resources.or_else(|| of_path.clone());
                // An operation without actions is not declared as a route, so requests to it are
                // refused.
                let is_guarded = resources.is_some() && !operation.actions.is_empty();
                if is_guarded || operation.public {
                    let required = operation.actions.into_iter().filter(|one| one.required);
                    routes.push(DeclaredRoute {
                        method,
                        path: path.clone(),
                        actions: required.map(|one| one.name).collect(),
                        resources: resources.map(|locators| locators.0).unwrap_or_default(),
                        public: operation.public,
                        upgrades: operation.upgrades,
                    });
                }
            }
        }
        if !routes.is_empty() {
            let servers = document.servers.into_iter().map(|server| server.url).collect();
            let (name, account) = (document.name, document.account);
            let asserts_identity = document.asserts_identity;
            product.api = Some(DeclaredApi { name, account, servers, routes, asserts_identity });
        }
        Ok(product)
    }
}

/// Returns the most likely category of the action of an HTTP method; none if the key is no method.
pub(crate) fn category(method: &str) -> Option<Category> {
    Some(match method {
        "get" | "head" => Category::Read,
        "post" => Category::Create,
        "put" | "patch" => Category::Edit,
        "delete" => Category::Delete,
        "options" | "trace" => Category::Operate,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
