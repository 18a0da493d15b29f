//! Guarded APIs that accounts declare: their documents.

use gatewright_policy::Instant;
use gatewright_store::{Kind, Object};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::document::{Document, Properties, Reflection};
use crate::model::error::IamError;
use crate::model::precondition::EntityTag;

/// A guarded API.
#[derive(Debug, Clone)]
pub struct GuardedApi {
    /// The name by which proxies refer to it.
    pub name: String,
    /// The text of its OpenAPI document, as it was declared: as a value it would take many times
    /// the memory.
    pub document: Box<RawValue>,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last update, if there was one.
    pub updated_at: Option<Instant>,
    /// The tag of what is shown of it.
    pub tag: EntityTag,
}

impl GuardedApi {
    pub(crate) fn read(object: &Object) -> Result<Self, IamError> {
        let stored = ApiDocument::read(&object.document)?;
        let tag = EntityTag::of(Kind::Api, &stored)?;
        let ApiDocument { document, created_at, updated_at } = stored;
        Ok(Self { name: object.id.clone(), document, created_at, updated_at, tag })
    }
}

/// The document of a guarded API.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiDocument {
    pub(crate) document: Box<RawValue>,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Option<Instant>,
}

impl Document for ApiDocument {
    const KIND: Kind = Kind::Api;

    const PROPERTIES: Properties =
        Properties { reflection: Reflection::Catalogue, ..Properties::PLAIN };
}
