//! Examples of policies and decisions.

use serde_json::{Value, json};

const CREATED: &str = "2026-11-26T20:51:34.041391Z";
const IDENTITY: &str = "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.9cf2b1d0a7e84c35";
const RESOURCE: &str = "urn:v1:eu:resource:vps:web-1";
const ACTION: &str = "vps:apiovh:reboot";

/// Returns examples of policies, permissions groups, checks and replicas.
pub(super) fn of(name: &str) -> Option<Value> {
    Some(match name {
        "iam.policy.Creation" => json!({
            "conditions": {
                "operator": "MATCH", "values": {"resource.Tag(environment)": "production"},
            },
            "description": "the deployment may reboot what is in production",
            "expiredAt": "2027-12-31T23:59:59Z",
            "identities": [IDENTITY],
            "name": "deploy",
            "permissions": {"allow": [{"action": ACTION}]},
            "permissionsGroups": [],
            "resources": [{"urn": RESOURCE}],
        }),
        "iam.policy.Response" => json!({
            "conditions": {
                "operator": "MATCH", "values": {"resource.Tag(environment)": "production"},
            },
            "createdAt": CREATED,
            "description": "the deployment may reboot what is in production",
            "expiredAt": "2027-12-31T23:59:59Z",
            "id": "3f0c6f0e-7a1b-4d5e-9a51-0c2b6a3d8e11",
            "identities": [IDENTITY],
            "name": "deploy",
            "owner": "xx11111-ovh",
            "permissions": {"allow": [{"action": ACTION}]},
            "permissionsGroups": [],
            "readOnly": false,
            "resources": [{"urn": RESOURCE}],
            "updatedAt": null,
        }),
        "iam.PermissionsGroup" => json!({
            "createdAt": CREATED,
            "description": "what operators do",
            "id": "8d0b2f5c-12f4-4f0e-8a3a-6b1f5f4f9c22",
            "name": "operate",
            "owner": "xx11111-ovh",
            "permissions": {"allow": [{"action": "vps:apiovh:*"}], "except": [{"action": ACTION}]},
            "updatedAt": null,
            "urn": "urn:v1:eu:permissionsGroup:xx11111-ovh:8d0b2f5c-12f4-4f0e-8a3a-6b1f5f4f9c22",
        }),
        "iam.AuthorizeRequest" => json!({"actions": [ACTION]}),
        "iam.AuthorizeResponse" => {
            json!({"authorizedActions": [ACTION], "unauthorizedActions": []})
        }
        "iam.AuthorizeBatchRequest" => json!({"actions": [ACTION], "resourceURNs": [RESOURCE]}),
        "iam.AuthorizeBatchResponse" => json!({
            "authorizedActions": [ACTION], "resourceURN": RESOURCE, "unauthorizedActions": [],
        }),
        "iam.reference.Action" => json!({
            "action": ACTION,
            "categories": ["OPERATE"],
            "description": "Reboot a server",
            "hasQueryParameters": false,
            "resourceType": "vps",
        }),
        "iam.activity.Line" => json!({
            "action": ACTION,
            "actor": "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.9cf2b1d0a7e84c35",
            "count": 1,
            "date": "2026-11-26T20:51:34.041391Z",
            "ip": "192.0.2.7",
            "outcome": "denied",
            "policyId": null,
            "queryId": "EU.ext-0f3a5c1e7b2d4f60918273a4b5c6d7e8",
            "reason": "notAllowed",
            "resource": RESOURCE,
            "status": null,
            "userAgent": null,
        }),
        "iam.replica.Fact" => json!({"fact": "reached", "revision": 42}),
        _ => return None,
    })
}
