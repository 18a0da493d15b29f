//! Examples of AuthZEN.

use serde_json::{Value, json};

const URL: &str = "https://iam.example.com";

/// Returns examples of AuthZEN's Authorization API.
pub(super) fn of(name: &str) -> Option<Value> {
    let subject = json!({"type": "service_account", "id": "EU.9cf2b1d0a7e84c35"});
    let action = json!({"name": "vps:apiovh:reboot"});
    let resource = json!({"type": "vps", "id": "web-1"});
    let context = json!({"ip": "203.0.113.7", "time": "2026-11-26T20:51:34Z"});
    let allowed = json!({
        "decision": true,
        "context": {
            "reason": "a policy allows it", "policy": "3f0c6f0e-7a1b-4d5e-9a51-0c2b6a3d8e11",
        },
    });
    Some(match name {
        "authzen.EvaluationRequest" => json!({
            "subject": subject, "action": action, "resource": resource, "context": context,
        }),
        "authzen.EvaluationResponse" => allowed,
        "authzen.EvaluationsRequest" => json!({
            "subject": subject,
            "action": action,
            "evaluations": [{"resource": resource}, {"resource": {"type": "vps", "id": "web-2"}}],
            "options": {"evaluations_semantic": "execute_all"},
        }),
        "authzen.EvaluationsResponse" => json!({"evaluations": [
            allowed, {"decision": false, "context": {"reason": "no policy allows it"}},
        ]}),
        "authzen.SubjectSearch" => json!({
            "subject": {"type": "service_account"}, "action": action, "resource": resource,
        }),
        "authzen.ResourceSearch" => {
            json!({"subject": subject, "action": action, "resource": {"type": "vps"}})
        }
        "authzen.ActionSearch" => json!({"subject": subject, "resource": resource}),
        "authzen.EntitiesFound" => json!({"results": [resource]}),
        "authzen.ActionsFound" => json!({"results": [action]}),
        "authzen.Configuration" => json!({
            "policy_decision_point": URL,
            "access_evaluation_endpoint": format!("{URL}/access/v1/evaluation"),
            "access_evaluations_endpoint": format!("{URL}/access/v1/evaluations"),
            "search_subject_endpoint": format!("{URL}/access/v1/search/subject"),
            "search_resource_endpoint": format!("{URL}/access/v1/search/resource"),
            "search_action_endpoint": format!("{URL}/access/v1/search/action"),
        }),
        _ => return None,
    })
}
