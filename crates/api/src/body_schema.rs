//! The fields that a request body may have, by the schemas of the OpenAPI document: those that are
//! read, and those of the object as responses have it, since clients send whole objects back.

use std::ptr;

use gatewright_iam::KeySchema;
use indexmap::IndexMap;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::schema::Components;

/// A request body whose fields are known.
pub(crate) trait Accepted: ToSchema {
    /// The object as responses have it: of its fields, those that cannot be written are ignored.
    type Object: ToSchema;

    /// Further fields that clients send, which are ignored.
    const IGNORED: &[&str] = &[];
}

/// Declares the bodies that write an object, and the object as responses have it.
macro_rules! accepted {
    ($($body:ty as $object:ty $(, ignoring $ignored:expr)?;)*) => {
        $(impl crate::body_schema::Accepted for $body {
            type Object = $object;
            $(const IGNORED: &[&str] = &$ignored;)?
        })*
    };
}

pub(crate) use accepted;

/// The fields of a request body.
pub(crate) struct BodySchema {
    schemas: Vec<Value>,
    components: IndexMap<String, Value>,
}

impl BodySchema {
    /// Describes the fields of a request body.
    pub(crate) fn of<T: Accepted>() -> Self {
        let mut components = Components::default();
        let ignored = T::IGNORED.iter().map(|name| ((*name).to_owned(), json!({})));
        let ignored = json!({"type": "object", "properties": ignored.collect::<Value>()});
        let schemas = vec![components.one::<T>(), components.one::<T::Object>(), ignored];
        Self { schemas, components: components.into_schemas() }
    }

    /// Returns the fields of the body itself.
    pub(crate) fn root(&self) -> Schemas<'_> {
        Schemas { body: self, schemas: Vec::new() }.with(self.schemas.iter())
    }
}

/// The schemas of one value of a body, any of which it may follow; without one, the value may be
/// anything.
pub(crate) struct Schemas<'k> {
    body: &'k BodySchema,
    schemas: Vec<&'k Value>,
}

impl<'k> Schemas<'k> {
    /// Adds schemas, without references and alternatives.
    fn with(mut self, schemas: impl Iterator<Item = &'k Value>) -> Self {
        for schema in schemas {
            self.add(schema);
        }
        self
    }

    fn add(&mut self, schema: &'k Value) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next();
            if let Some(schema) = name.and_then(|name| self.body.components.get(name)) {
                self.add(schema);
            }
            return;
        }
        let alternatives = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|of| schema.get(of));
        let alternatives: Vec<&Value> =
            alternatives.filter_map(Value::as_array).flatten().collect();
        if !alternatives.is_empty() {
            for schema in alternatives {
                self.add(schema);
            }
        } else if !self.schemas.iter().any(|there| ptr::eq(*there, schema)) {
            self.schemas.push(schema);
        }
    }

    fn at(&self, schemas: Vec<&'k Value>) -> Self {
        Self { body: self.body, schemas: Vec::new() }.with(schemas.into_iter())
    }

    /// Lists the schemas of objects whose fields are named.
    fn objects(&self) -> impl Iterator<Item = &'k Value> {
        self.schemas
            .iter()
            .copied()
            .filter(|one| one.get("properties").is_some_and(Value::is_object))
    }
}

impl KeySchema for Schemas<'_> {
    fn of_key(&self, key: &str) -> Option<Self> {
        let named = self.objects().filter_map(|schema| schema.get("properties")?.get(key));
        let named: Vec<&Value> = named.collect();
        let others = self.schemas.iter().filter_map(|one| one.get("additionalProperties"));
        let others: Vec<&Value> = others.filter(|schema| schema.is_object()).collect();
        if named.is_empty() && others.is_empty() && self.objects().next().is_some() {
            return None;
        }
        Some(self.at(if named.is_empty() { others } else { named }))
    }

    fn of_items(&self) -> Self {
        self.at(self.schemas.iter().filter_map(|schema| schema.get("items")).collect())
    }

    fn names(&self) -> Vec<&str> {
        let properties = self.objects().filter_map(|schema| schema.get("properties")?.as_object());
        properties.flat_map(|properties| properties.keys().map(String::as_str)).collect()
    }
}
