//! Examples of resources.

use serde_json::{Value, json};

const CREATED: &str = "2026-11-26T20:51:34.041391Z";
const URN: &str = "urn:v1:eu:resource:vps:web-1";
const ID: &str = "0f2a1f6e-0d0f-5c1e-9d55-4a7c1c0b7a33";

/// Returns examples of resources, resource groups and guarded APIs.
pub(super) fn of(name: &str) -> Option<Value> {
    Some(match name {
        "iam.resource.Resource" => json!({
            "displayName": "the shop's first server",
            "id": ID,
            "name": "web-1",
            "owner": "xx11111-ovh",
            "tags": {"environment": "production"},
            "type": "vps",
            "urn": URN,
        }),
        "iam.resource.Creation" => json!({
            "displayName": "the shop's first server",
            "tags": {"environment": "production"},
            "urn": URN,
        }),
        "iam.resource.AddTag" => json!({"key": "environment", "value": "production"}),
        "iam.group.Creation" | "iam.group.Update" => {
            json!({"name": "shop", "resources": [{"urn": URN}]})
        }
        "iam.group.Response" => json!({
            "createdAt": CREATED,
            "id": "5b1f4c6a-2f0d-4f7b-9f0e-3e0c7d9a5b44",
            "name": "shop",
            "owner": "xx11111-ovh",
            "readOnly": false,
            "resources": [{"id": ID}],
            "updatedAt": null,
            "urn": "urn:v1:eu:resource:resourceGroup:5b1f4c6a-2f0d-4f7b-9f0e-3e0c7d9a5b44",
        }),
        "iam.api.Response" => json!({
            "createdAt": CREATED,
            "document": {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {}},
            "name": "shop",
            "updatedAt": null,
        }),
        _ => return None,
    })
}
