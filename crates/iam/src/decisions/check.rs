//! Checks actions on resources for the caller.

use gatewright_policy::ResourceUrn;

use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::model::caller::Context;
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::limits::{ACTION_BYTES, URN_BYTES, check_bytes};

/// The maximum number of decisions of a request.
const MOST: usize = 100_000;

/// The result for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The URN of the resource, as the request has it.
    pub resource: String,
    /// The actions that are allowed on it.
    pub authorized: Vec<String>,
    /// The actions that are denied on it.
    pub unauthorized: Vec<String>,
}

impl Iam {
    /// Decides each action on each resource for the caller. It needs no right.
    ///
    /// An action that is not in the catalogue fails the whole request.
    pub async fn check(
        &self,
        context: &Context,
        urns: Vec<String>,
        actions: Input<Vec<String>>,
    ) -> Result<Vec<CheckResult>, IamError> {
        let actions = actions?;
        if actions.len().saturating_mul(urns.len()) > MOST {
            let message = format!("a request may ask for at most {MOST} decisions: split it");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        let catalogue = self.catalogue();
        for action in &actions {
            check_bytes("actions", action, ACTION_BYTES)?;
            if !catalogue.knows(action) {
                return Err(IamError::invalid(
                    Fault::Input,
                    format!("Unknown action \"{action}\""),
                ));
            }
        }
        let region = self.settings.region;
        let mut answers = Vec::with_capacity(urns.len());
        for text in urns {
            check_bytes("resourceURNs", &text, URN_BYTES)?;
            let urn = ResourceUrn::parse(&text, region).map_err(|error| {
                let message =
                    format!("the URN {text} {error}, expected urn:v1:{region}:resource:type:name");
                IamError::invalid(Fault::ResourceUrn, message)
            })?;
            let decision_context = self.decision_context(context, &urn).await?;
            let mut answer =
                CheckResult { resource: text, authorized: Vec::new(), unauthorized: Vec::new() };
            let decisions = actions.iter().map(|action| {
                let decision = decision_context.decide(context, action, &urn);
                let allowed = decision.is_allowed();
                let list = if allowed { &mut answer.authorized } else { &mut answer.unauthorized };
                list.push(action.clone());
                RecordedDecision { action, resource: urn.urn(), decision }
            });
            let decisions: Vec<_> = decisions.collect();
            self.recorder.record_decisions(context, decisions);
            answers.push(answer);
        }
        Ok(answers)
    }
}
