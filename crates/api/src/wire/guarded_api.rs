//! Guarded APIs.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A guarded API, with the OpenAPI document that declares it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::api::Response)]
pub(crate) struct GuardedApi {
    created_at: String,
    document: Value,
    name: String,
    updated_at: Option<String>,
}

impl GuardedApi {
    pub(crate) fn of(api: &gatewright_iam::GuardedApi) -> Self {
        Self {
            created_at: api.created_at.to_string(),
            document: api.document.clone(),
            name: api.name.clone(),
            updated_at: api.updated_at.map(|at| at.to_string()),
        }
    }
}
