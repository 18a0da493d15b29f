//! Changes of access by saving or deleting a policy.

use gatewright_iam::{AccessDiffs, ConditionsChange, PolicyId, Proposal};

use super::form::PolicyForm;
use crate::error::{PageError, none_if_forbidden};
use crate::request::RequestContext;

/// Changes of access.
pub(super) struct Changes {
    pub(super) diffs: AccessDiffs,
    /// Fingerprint of the form that was compared; empty for a deletion.
    pub(super) fingerprint: String,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        let AccessDiffs { diffs, locks_out, .. } = &self.diffs;
        diffs.is_empty() && !self.of_conditions() && !locks_out
    }

    /// Checks whether the conditions change, so that access may change with the environment.
    pub(super) fn of_conditions(&self) -> bool {
        self.diffs.conditions == ConditionsChange::Change
    }

    pub(super) fn has_conditions(&self) -> bool {
        self.diffs.conditions != ConditionsChange::None
    }
}

/// Compares access before and after saving the policy in the form; none if the reader has no
/// permission.
pub(super) async fn changes(
    request: &RequestContext,
    id: Option<PolicyId>,
    form: &PolicyForm,
) -> Result<Option<Changes>, PageError> {
    let proposal = form.input(&request.texts).map(|input| Proposal { id, input: Some(input) });
    let diffs = none_if_forbidden(request.iam.diffs(&request.context()?, proposal).await)?;
    Ok(diffs.map(|diffs| Changes { diffs, fingerprint: form.fingerprint() }))
}

/// Returns the changes that were not displayed yet: they are displayed once before saving.
pub(super) async fn unseen_changes(
    request: &RequestContext,
    id: Option<PolicyId>,
    form: &PolicyForm,
) -> Option<Changes> {
    if request.form.get("seen") == form.fingerprint() {
        return None;
    }
    // A policy that cannot be compared cannot be saved either, and saving gives the better message.
    let changes = changes(request, id, form).await.ok()??;
    Some(changes).filter(|changes| !changes.is_empty())
}
