//! Policy editor: the form of a policy, and the content around it.

use askama::Template;
use gatewright_iam::{Policy, PolicyId};

use super::changes::Changes;
use super::choices::{GroupChoice, permissions_group_choices, resource_and_group_choices};
use super::condition_node::Row;
use super::form::PolicyForm;
use super::json::to_json;
use super::search::{FoundAction, find_actions, find_identities};
use super::terraform::to_terraform;
use super::tree::{Selection, TypeActions, tree};
use crate::error::PageError;
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::pages::choices::Choice;
use crate::pages::simulation::SimulationForm;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "policies/form.html")]
struct EditorPage {
    layout: Layout,
    /// Identifier of the policy to change; none to create one.
    id: Option<PolicyId>,
    read_only: bool,
    policy: PolicyForm,
    json: String,
    terraform: String,
    find_identity: String,
    identities: Option<Vec<Choice>>,
    types: Vec<String>,
    resources: Vec<Choice>,
    groups: Vec<GroupChoice>,
    find: String,
    found: Vec<FoundAction>,
    actions: Vec<TypeActions>,
    open_type: String,
    conditions: Vec<Row>,
    simulation: SimulationForm,
    changes: Option<Changes>,
}

/// State of the editor.
pub(super) struct Editor {
    pub(super) target: Target,
    pub(super) form: PolicyForm,
    pub(super) simulation: SimulationForm,
    /// Changes of access, if they are displayed.
    pub(super) changes: Option<Changes>,
    /// Resource type whose actions are unfolded.
    pub(super) open_type: String,
}

/// Policy that the editor edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    New,
    Existing(PolicyId),
    /// A policy of the server.
    ReadOnly(PolicyId),
}

impl Target {
    pub(super) fn id(self) -> Option<PolicyId> {
        match self {
            Self::New => None,
            Self::Existing(id) | Self::ReadOnly(id) => Some(id),
        }
    }
}

impl Editor {
    /// Reads the submitted editor; it is empty if nothing was submitted.
    pub(super) fn read(request: &RequestContext, target: Target) -> Self {
        Self {
            target,
            form: PolicyForm::read(&request.form),
            simulation: SimulationForm::read(&request.form),
            changes: None,
            open_type: String::new(),
        }
    }

    /// Opens a policy.
    pub(super) fn of(policy: Policy) -> Self {
        let id = policy.rule.id;
        Self {
            target: if policy.read_only { Target::ReadOnly(id) } else { Target::Existing(id) },
            form: PolicyForm::of(policy),
            simulation: SimulationForm::default(),
            changes: None,
            open_type: String::new(),
        }
    }

    /// Returns the identities that a search found; none without a search.
    async fn found_identities(
        request: &RequestContext,
        search: &str,
    ) -> Result<Option<Vec<Choice>>, PageError> {
        if search.is_empty() && request.form.get("do") != "find-identity" {
            return Ok(None);
        }
        find_identities(request, &request.context()?, search).await.map(Some)
    }
}

impl Form for Editor {
    const SECTION: Section = Section::Policies;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let context = request.context()?;
        let Self { target, form, simulation, changes, open_type } = self;
        let find = request.form.get("find").to_lowercase();
        let find_identity = request.form.get("find-identity").to_owned();
        let catalogue = request.iam.catalogue_for(&context).await?;
        PageResponse::render(&EditorPage {
            layout,
            id: target.id(),
            read_only: matches!(target, Target::ReadOnly(_)),
            json: to_json(&form),
            terraform: to_terraform(&form),
            identities: Self::found_identities(request, &find_identity).await?,
            find_identity,
            types: catalogue.types().map(str::to_owned).collect(),
            resources: resource_and_group_choices(request, &context).await?,
            groups: permissions_group_choices(request, &context, &form.groups).await?,
            found: find_actions(&catalogue, &find),
            find,
            actions: tree(&catalogue, &form, request.iam.settings().region),
            open_type,
            conditions: form.conditions.rows(),
            simulation,
            changes,
            policy: form,
        })
    }
}
