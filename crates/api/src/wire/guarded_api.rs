//! Guarded APIs.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A guarded API, with the OpenAPI document that declares it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::api::Response)]
pub(crate) struct GuardedApi {
    created_at: String,
    #[schema(value_type = serde_json::Value)]
    document: Box<RawValue>,
    name: String,
    updated_at: Option<String>,
}

impl From<gatewright_iam::GuardedApi> for GuardedApi {
    fn from(api: gatewright_iam::GuardedApi) -> Self {
        Self {
            created_at: api.created_at.to_string(),
            document: api.document,
            name: api.name,
            updated_at: api.updated_at.map(|at| at.to_string()),
        }
    }
}
