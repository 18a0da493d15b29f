//! Simulates a decision and explains it, with policies that need not be stored.

use gatewright_policy::{Environment, Request, ResourceUrn, explain};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::log::Reason;
use crate::model::rights;
use crate::model::simulation::{
    EvaluatedPolicy, PolicySource, Proposal, Simulation, SimulationResult,
};
use crate::policies::simulation::target::Conditions;

impl Iam {
    /// Decides a request by the policies of the caller's account with a proposed change applied,
    /// and returns the reasons.
    pub async fn simulate(
        &self,
        context: &Context,
        simulation: Input<Simulation>,
        proposal: Option<Proposal>,
    ) -> Result<SimulationResult, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let simulation = simulation?;
        let identity = self.identity(&simulation.identity)?;
        let urn =
            ResourceUrn::parse(&simulation.resource, self.settings.region).map_err(|error| {
                let message =
                    format!("the URN {} {error}, expected that of a resource", simulation.resource);
                IamError::invalid(Fault::ResourceUrn, message)
            })?;
        if !self.catalogue().knows(&simulation.action) {
            let message = format!("there is no action {:?}", simulation.action);
            return Err(IamError::invalid(Fault::Input, message));
        }
        let view = self.views.get(context.account()).await?;
        let proposal = proposal.map(|proposal| self.identified(proposal)).transpose()?;
        let proposed = match &proposal {
            Some((id, Some(input))) => Some((*id, input.name.clone())),
            Some((_, None)) | None => None,
        };
        let set = self.proposed(view.policies(), proposal, Conditions::Evaluated)?;
        let caller = self.caller(&view, &identity);
        let request = Request {
            caller: &caller,
            action: &simulation.action,
            resource: view.decided_resource(&urn),
            environment: Environment { now: simulation.at, ip: simulation.ip },
        };
        let explanation = explain(&request, &set, None);
        let (reason, policy) = Reason::of(&explanation.decision);
        let mut evaluated = Vec::new();
        for one in &explanation.evaluated {
            let source = match &proposed {
                Some((id, name)) if *id == one.policy => PolicySource::Proposal(name.clone()),
                _ => {
                    let stored = self.stored_policy(context.account(), one.policy).await?;
                    stored.map_or(PolicySource::Role, |policy| PolicySource::Stored(policy.name))
                }
            };
            evaluated.push(EvaluatedPolicy {
                policy: one.policy,
                source,
                identity: one.identity.clone(),
                contribution: one.outcome.into(),
            });
        }
        Ok(SimulationResult {
            allowed: explanation.decision.is_allowed(),
            reason,
            policy,
            evaluated,
        })
    }
}
