//! Findings: unused service accounts, and policies to review.

use gatewright_iam::{Context, PolicyId};

use crate::error::{PageError, none_if_forbidden};
use crate::format::minute;
use crate::request::RequestContext;

/// Maximum number of objects that a finding names.
const MAX_NAMES: usize = 5;

/// Finding: objects to review for a common reason.
pub(super) struct Finding {
    /// Key of the text of the reason, which includes their number.
    pub(super) text: &'static str,
    pub(super) count: usize,
    /// Paths and names of the first of them.
    pub(super) first: Vec<(String, String)>,
}

/// Returns the unused service accounts; none if the reader has no permission.
pub(super) async fn unused_clients(
    request: &RequestContext,
    context: &Context,
) -> Result<Option<Finding>, PageError> {
    let clients = none_if_forbidden(request.iam.unused_clients(context).await)?;
    let Some(clients) = clients else { return Ok(None) };
    let mut first = Vec::new();
    for (id, used_at) in clients.iter().take(MAX_NAMES) {
        let last = used_at.map_or_else(
            || request.texts.say("never-used"),
            |used_at| request.texts.name("used-at", &minute(used_at)),
        );
        let client = request.iam.client(context, id).await?;
        first.push((format!("/service-accounts/{id}"), format!("{} ({last})", client.name)));
    }
    Ok(Some(Finding { text: "overview-unused", count: clients.len(), first }))
}

/// Returns the policies to review; none if the reader has no permission.
pub(super) async fn policy_findings(
    request: &RequestContext,
    context: &Context,
) -> Result<Option<Vec<Finding>>, PageError> {
    let findings = none_if_forbidden(request.iam.findings(context).await)?;
    let Some(findings) = findings else { return Ok(None) };
    let expiring: Vec<PolicyId> = findings.expiring.into_iter().map(|(_, id)| id).collect();
    let kinds = [
        ("overview-everything", findings.everything),
        ("overview-gone", findings.gone),
        ("overview-nobody", findings.nobody),
        ("overview-expiring", expiring),
        ("overview-expired", findings.expired),
        ("overview-exact-denies", findings.exact_denies),
    ];
    let mut all = Vec::new();
    for (text, ids) in kinds.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        let mut first = Vec::new();
        for id in ids.iter().take(MAX_NAMES) {
            let policy = request.iam.policy(context, Ok(*id)).await?;
            first.push((format!("/policies/{id}"), policy.name));
        }
        all.push(Finding { text, count: ids.len(), first });
    }
    Ok(Some(all))
}
