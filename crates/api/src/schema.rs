//! Describes types as schemas of an OpenAPI document.

use indexmap::IndexMap;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The schemas of an OpenAPI document, by name.
#[derive(Default)]
pub(crate) struct Components(IndexMap<String, Value>);

impl Components {
    /// Describes a type: a reference to its schema, or the schema itself if it is a primitive one.
    pub(crate) fn one<T: ToSchema>(&mut self) -> Value {
        let own = json!(T::schema());
        let is_plain = own.get("enum").is_none()
            && own.get("type").is_some_and(|kind| kind == "string" || kind == "integer");
        if is_plain {
            return own;
        }
        let name = T::name().into_owned();
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        for (name, schema) in schemas {
            self.0.entry(name).or_insert_with(|| json!(schema));
        }
        self.0.entry(name.clone()).or_insert(own);
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// Describes an array of a type.
    pub(crate) fn many<T: ToSchema>(&mut self) -> Value {
        json!({"type": "array", "items": self.one::<T>()})
    }

    /// Returns the schemas by name.
    pub(crate) fn into_schemas(self) -> IndexMap<String, Value> {
        self.0
    }
}

/// Describes a type by the schema of another: clients send whole objects back, of which only some
/// fields are read.
macro_rules! described_as {
    ($part:ty, $whole:ty) => {
        impl utoipa::PartialSchema for $part {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <$whole as utoipa::PartialSchema>::schema()
            }
        }

        impl utoipa::ToSchema for $part {
            fn name() -> std::borrow::Cow<'static, str> {
                <$whole as utoipa::ToSchema>::name()
            }

            fn schemas(
                schemas: &mut Vec<(
                    String,
                    utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
                )>,
            ) {
                <$whole as utoipa::ToSchema>::schemas(schemas);
            }
        }
    };
}

pub(crate) use described_as;
