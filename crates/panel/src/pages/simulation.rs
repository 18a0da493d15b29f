//! Trying policies: who may do what, and why.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Contribution, EvaluatedPolicy, Fault, IamError, Instant, Part, PolicyId, Proposal, Simulation,
    SimulationResult,
};

use super::logs::reason_text;
use super::{instant, short_urn};
use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

const SECTION: Section = Section::Policies;

#[derive(Template)]
#[template(path = "simulation/page.html")]
struct SimulationPage {
    layout: Layout,
    simulation: SimulationForm,
}

/// What is asked, as it was typed, and the answer.
#[derive(Default)]
pub(crate) struct SimulationForm {
    pub(crate) identity: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) ip: String,
    pub(crate) at: String,
    pub(crate) outcome: Option<SimulationOutcome>,
}

/// The answer.
pub(crate) struct SimulationOutcome {
    pub(crate) allowed: bool,
    /// The key of the text that says why.
    pub(crate) reason: &'static str,
    pub(crate) evaluated: Vec<Row>,
}

/// A policy that was examined.
pub(crate) struct Row {
    /// None where it is the one that is being written, or the role of a group.
    pub(crate) path: Option<String>,
    pub(crate) name: String,
    pub(crate) identity: String,
    /// The key of the text that says what came of it.
    pub(crate) text: &'static str,
    /// The permissions group that said so.
    pub(crate) group: String,
    pub(crate) decided: bool,
}

impl SimulationForm {
    pub(crate) fn read(fields: &Fields) -> Self {
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

    /// Whether anything is asked.
    pub(crate) fn is_asked(&self) -> bool {
        ![&self.identity, &self.action, &self.resource].iter().all(|text| text.is_empty())
    }

    fn simulation(&self, request: &RequestContext) -> Result<Simulation, IamError> {
        let ip = match self.ip.as_str() {
            "" => request.ip,
            text => Some(text.parse::<IpAddr>().map_err(|_| {
                let message = format!("{text} is no address, such as 203.0.113.7");
                IamError::invalid(Fault::Format, message)
            })?),
        };
        let at = match self.at.as_str() {
            "" => request.now,
            text => Instant::parse(text).ok_or_else(|| {
                let message = format!("{text} is no date and time, such as 2027-12-31T23:59:59Z");
                IamError::invalid(Fault::Format, message)
            })?,
        };
        let (identity, action) = (self.identity.clone(), self.action.clone());
        Ok(Simulation { identity, action, resource: self.resource.clone(), ip, at })
    }

    /// Asks, with a policy as it may become, which is called `name`.
    pub(crate) async fn ask(
        &mut self,
        request: &RequestContext,
        proposal: Option<Proposal>,
        name: &str,
    ) -> Result<(), PageError> {
        let id = proposal.as_ref().map(|one| one.id.unwrap_or_default());
        let simulation = self.simulation(request);
        let result = request.iam.simulate(&request.context()?, simulation, proposal).await?;
        self.outcome = Some(SimulationOutcome::of(request, result, id.map(|id| (id, name))));
        Ok(())
    }
}

impl SimulationOutcome {
    fn of(
        request: &RequestContext,
        result: SimulationResult,
        proposed: Option<(PolicyId, &str)>,
    ) -> Self {
        let row = |one: EvaluatedPolicy| {
            let (text, part) = match one.contribution {
                Contribution::Denies(part) => ("try-denies", Some(part)),
                Contribution::Allows(part) => ("try-allows", Some(part)),
                Contribution::Excepts(part) => ("try-excepts", Some(part)),
                Contribution::Expired => ("try-expired", None),
                Contribution::OtherResource => ("try-other-resource", None),
                Contribution::ConditionFails => ("try-condition-fails", None),
                Contribution::OtherAction => ("try-other-action", None),
            };
            let is_proposed = proposed.is_some_and(|(id, _)| id == one.policy);
            let (path, name) = match (proposed, one.name) {
                (Some((_, name)), _) if is_proposed => (None, name.to_owned()),
                (_, Some(name)) => (Some(format!("/policies/{}", one.policy)), name),
                (_, None) => (None, request.texts.say("try-role")),
            };
            Row {
                path,
                name,
                identity: short_urn(&one.identity).to_owned(),
                text,
                group: match part {
                    Some(Part::Group(urn)) => short_urn(&urn).to_owned(),
                    _ => String::new(),
                },
                decided: result.policy == Some(one.policy),
            }
        };
        let mut evaluated: Vec<Row> = result.evaluated.into_iter().map(row).collect();
        evaluated.sort_by_key(|row| !row.decided);
        Self { allowed: result.allowed, reason: reason_text(result.reason), evaluated }
    }
}

pub(crate) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    let mut simulation = SimulationForm::read(&request.query);
    if !simulation.is_asked() {
        simulation.at = instant(request.now).replace(' ', "T") + "Z";
        return PageResponse::render(&SimulationPage {
            layout: request.layout(SECTION),
            simulation,
        });
    }
    match simulation.ask(&request, None, "").await {
        Ok(()) => {
            PageResponse::render(&SimulationPage { layout: request.layout(SECTION), simulation })
        }
        Err(error) => {
            let Some(text) = error.validation_message() else { return Err(error) };
            let mut layout = request.layout(SECTION);
            layout.banner = Some(Banner::danger(text));
            let page = PageResponse::render(&SimulationPage { layout, simulation })?;
            Ok(page.with_status(error.status()))
        }
    }
}
