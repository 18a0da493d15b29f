//! Outcome of a simulation, with the policies that were evaluated.

use gatewright_iam::{Contribution, EvaluatedPolicy, Part, PolicySource, SimulationResult};

use crate::format::short_urn;
use crate::pages::reasons::reason_text;
use crate::request::RequestContext;

/// Outcome of a simulation.
pub(in crate::pages) struct SimulationOutcome {
    pub(in crate::pages) allowed: bool,
    /// Key of the text that gives the reason.
    pub(in crate::pages) reason: &'static str,
    /// The determining policy first.
    pub(in crate::pages) evaluated: Vec<Row>,
}

/// Policy that was evaluated.
pub(in crate::pages) struct Row {
    /// Path of the policy's page; none for one that is not saved, and for the role of a group.
    pub(in crate::pages) path: Option<String>,
    pub(in crate::pages) name: String,
    pub(in crate::pages) identity: String,
    /// Key of the text of its contribution.
    pub(in crate::pages) text: &'static str,
    /// Permissions group that makes the contribution.
    pub(in crate::pages) group: String,
    /// `true` for the determining policy.
    pub(in crate::pages) decided: bool,
}

impl SimulationOutcome {
    pub(super) fn of(request: &RequestContext, result: SimulationResult) -> Self {
        let row = |one: EvaluatedPolicy| Row {
            decided: result.policy == Some(one.policy),
            ..Row::of(request, one)
        };
        let mut evaluated: Vec<Row> = result.evaluated.into_iter().map(row).collect();
        evaluated.sort_by_key(|row| !row.decided);
        Self { allowed: result.allowed, reason: reason_text(result.reason), evaluated }
    }
}

impl Row {
    fn of(request: &RequestContext, one: EvaluatedPolicy) -> Self {
        let (path, name) = match one.source {
            PolicySource::Proposal(name) => (None, name),
            PolicySource::Stored(name) => (Some(format!("/policies/{}", one.policy)), name),
            PolicySource::Role => (None, request.texts.say("try-role")),
        };
        let (text, part) = contribution(one.contribution);
        let group = match part {
            Some(Part::Group(urn)) => short_urn(&urn).to_owned(),
            _ => String::new(),
        };
        let identity = short_urn(&one.identity).to_owned();
        Self { path, name, identity, text, group, decided: false }
    }
}

/// Returns the key of the text of a contribution, and the part of the policy that makes it.
fn contribution(contribution: Contribution) -> (&'static str, Option<Part>) {
    match contribution {
        Contribution::Denies(part) => ("try-denies", Some(part)),
        Contribution::Allows(part) => ("try-allows", Some(part)),
        Contribution::Excepts(part) => ("try-excepts", Some(part)),
        Contribution::Expired => ("try-expired", None),
        Contribution::OtherResource => ("try-other-resource", None),
        Contribution::ConditionFails => ("try-condition-fails", None),
        Contribution::OtherAction => ("try-other-action", None),
    }
}
