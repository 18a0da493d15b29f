//! Trying policies: who may do what, and why.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Contribution, EvaluatedPolicy, Fault, IamError, Part, Proposal, Simulation, SimulationResult,
    clock,
};

use super::logs::reason_text;
use super::{instant, short};
use crate::answer::{Answer, Answered};
use crate::fields::Fields;
use crate::frame::{Banner, Frame, Section};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::Policies;

#[derive(Template)]
#[template(path = "trial/page.html")]
struct TrialPage {
    frame: Frame,
    trial: TrialForm,
}

/// What is asked, as it was typed, and the answer.
#[derive(Default)]
pub(crate) struct TrialForm {
    pub(crate) identity: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) ip: String,
    pub(crate) at: String,
    pub(crate) shown: Option<Shown>,
}

/// The answer.
pub(crate) struct Shown {
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

impl TrialForm {
    pub(crate) fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        Self {
            identity: text("try-identity"),
            action: text("try-action"),
            resource: text("try-resource"),
            ip: text("try-ip"),
            at: text("try-at"),
            shown: None,
        }
    }

    /// Whether anything is asked.
    pub(crate) fn is_asked(&self) -> bool {
        ![&self.identity, &self.action, &self.resource].iter().all(|text| text.is_empty())
    }

    fn trial(&self, visit: &Visit) -> Result<Simulation, IamError> {
        let ip = match self.ip.as_str() {
            "" => visit.ip,
            text => Some(text.parse::<IpAddr>().map_err(|_| {
                let message = format!("{text} is no address, such as 203.0.113.7");
                IamError::invalid(Fault::Format, message)
            })?),
        };
        let at = match self.at.as_str() {
            "" => visit.now,
            text => clock::parse(text).ok_or_else(|| {
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
        visit: &Visit,
        proposal: Option<Proposal>,
        name: &str,
    ) -> Result<(), Refusal> {
        let id = proposal.as_ref().map(|one| one.id.unwrap_or_default());
        let trial = self.trial(visit);
        let verdict = visit.iam.simulate(&visit.context()?, trial, proposal).await?;
        self.shown = Some(Shown::of(visit, verdict, id.map(|id| (id, name))));
        Ok(())
    }
}

impl Shown {
    fn of(visit: &Visit, verdict: SimulationResult, proposed: Option<(uuid::Uuid, &str)>) -> Self {
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
                (_, None) => (None, visit.texts.say("try-role")),
            };
            Row {
                path,
                name,
                identity: short(&one.identity).to_owned(),
                text,
                group: match part {
                    Some(Part::Group(urn)) => short(&urn).to_owned(),
                    _ => String::new(),
                },
                decided: verdict.policy == Some(one.policy),
            }
        };
        let mut evaluated: Vec<Row> = verdict.evaluated.into_iter().map(row).collect();
        evaluated.sort_by_key(|row| !row.decided);
        Self { allowed: verdict.allowed, reason: reason_text(verdict.reason), evaluated }
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    let mut trial = TrialForm::read(&visit.query);
    if !trial.is_asked() {
        trial.at = instant(visit.now).replace(' ', "T") + "Z";
        return Answer::page(&TrialPage { frame: visit.frame(SECTION), trial });
    }
    match trial.ask(&visit, None, "").await {
        Ok(()) => Answer::page(&TrialPage { frame: visit.frame(SECTION), trial }),
        Err(refusal) => {
            let Some(text) = refusal.about_input() else { return Err(refusal) };
            let mut frame = visit.frame(SECTION);
            frame.banner = Some(Banner::danger(text));
            let page = Answer::page(&TrialPage { frame, trial })?;
            Ok(page.with_status(refusal.status()))
        }
    }
}
