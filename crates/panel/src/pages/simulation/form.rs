//! Form of a simulation.

use std::net::IpAddr;

use gatewright_iam::{Fault, IamError, Instant, Proposal, Simulation};

use super::outcome::SimulationOutcome;
use crate::error::PageError;
use crate::fields::Fields;
use crate::request::RequestContext;

/// Fields of a simulation, as typed, and its outcome.
#[derive(Default)]
pub(in crate::pages) struct SimulationForm {
    pub(in crate::pages) identity: String,
    pub(in crate::pages) action: String,
    pub(in crate::pages) resource: String,
    pub(in crate::pages) ip: String,
    pub(in crate::pages) at: String,
    pub(in crate::pages) outcome: Option<SimulationOutcome>,
}

impl SimulationForm {
    pub(in crate::pages) fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        Self {
            identity: text("try-identity"),
            action: text("try-action"),
            resource: text("try-resource"),
            ip: text("try-ip"),
            at: text("try-at"),
            outcome: None,
        }
    }

    /// Checks whether there is nothing to simulate.
    pub(in crate::pages) fn is_empty(&self) -> bool {
        [&self.identity, &self.action, &self.resource].iter().all(|text| text.is_empty())
    }

    fn input(&self, request: &RequestContext) -> Result<Simulation, IamError> {
        let malformed = |message: String| IamError::invalid(Fault::Format, message);
        let ip = match self.ip.as_str() {
            "" => request.ip,
            text => Some(
                text.parse::<IpAddr>()
                    .map_err(|_| malformed(format!("{text} is no address, such as 203.0.113.7")))?,
            ),
        };
        let at = match self.at.as_str() {
            "" => request.now,
            text => Instant::parse(text).ok_or_else(|| {
                malformed(format!("{text} is no date and time, such as 2027-12-31T23:59:59Z"))
            })?,
        };
        let (identity, action) = (self.identity.clone(), self.action.clone());
        Ok(Simulation { identity, action, resource: self.resource.clone(), ip, at })
    }

    /// Runs the simulation, with an unsaved policy and its name if there is one.
    pub(in crate::pages) async fn run(
        &mut self,
        request: &RequestContext,
        proposal: Option<Proposal>,
    ) -> Result<(), PageError> {
        let input = self.input(request);
        let result = request.iam.simulate(&request.context()?, input, proposal).await?;
        self.outcome = Some(SimulationOutcome::of(request, result));
        Ok(())
    }
}
