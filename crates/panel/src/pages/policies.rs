//! Policies: the table, and the form that makes and changes one.

mod conditions;
mod form;
mod tree;

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    AccessDiffs, ConditionsChange, Context, IamError, PageRequest, Policy, PolicyFilter, PolicyId,
    Proposal, ResourceFilter,
};

use super::simulation::SimulationForm;
use super::{allowed, format_minute};
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};
use form::PolicyForm;
pub(super) use form::{add, lines};
use tree::{Selection, TypeActions, actions_of_category, category_name, tree};

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "created"];

/// Limits the actions that a search displays.
const FOUND: usize = 200;

/// Limits the identities that a search displays.
const FOUND_IDENTITIES: usize = 50;

/// So many resources are offered to choose from.
const OFFERED: usize = 500;

#[derive(Template)]
#[template(path = "policies/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
    /// Whether these are the policies that belong to the server.
    of_server: bool,
    /// What they must name.
    identity: String,
    resource: String,
    action: String,
    /// What a link to another page of the table must say of all this.
    rest: String,
}

struct Row {
    id: PolicyId,
    name: String,
    description: String,
    identities: usize,
    resources: usize,
    actions: usize,
    created: String,
}

#[derive(Template)]
#[template(path = "policies/form.html")]
struct FormPage {
    layout: Layout,
    /// The policy that is changed; none when one is made.
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
    found: Vec<Found>,
    actions: Vec<TypeActions>,
    /// The type whose actions are being chosen.
    opened: String,
    conditions: Vec<conditions::Row>,
    simulation: SimulationForm,
    changes: Option<Changes>,
}

/// What saving would change.
struct Changes {
    diffs: AccessDiffs,
    /// Says which policy it is that was looked at.
    seen: String,
}

impl Changes {
    fn are_none(&self) -> bool {
        let AccessDiffs { diffs, locks_out, .. } = &self.diffs;
        diffs.is_empty() && !self.of_conditions() && !locks_out
    }

    fn of_conditions(&self) -> bool {
        self.diffs.conditions == ConditionsChange::Change
    }

    fn has_conditions(&self) -> bool {
        self.diffs.conditions != ConditionsChange::None
    }
}

/// Something with a URN that can be added to a list.
pub(super) struct Choice {
    pub(super) urn: String,
    pub(super) label: String,
}

struct GroupChoice {
    urn: String,
    name: String,
    description: String,
    chosen: bool,
}

/// An action that a search found.
struct Found {
    name: String,
    description: String,
    category: &'static str,
}

#[derive(Template)]
#[template(path = "policies/delete.html")]
struct DeletePage {
    layout: Layout,
    id: PolicyId,
    name: String,
    identities: Vec<String>,
    changes: Option<Changes>,
}

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let of_server = request.query.get("of") == "server";
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let text = |name| request.query.get(name).to_owned();
    let (identity, resource, action) = (text("identity"), text("resource"), text("action"));
    let one =
        |text: &String| Some(text.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    let filter = PolicyFilter {
        identities: one(&identity),
        resources: one(&resource),
        actions: one(&action),
        read_only: Some(of_server),
    };
    let mut layout = request.layout_with_flash(SECTION);
    let mut policies = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = PageRequest::new(Some(PageRequest::MAX_SIZE), cursor.as_deref(), "policies")?;
        let page = match request.iam.policies(&context, Ok(filter.clone()), Ok(page)).await {
            Ok(page) => page,
            Err(error) => {
                let error = PageError::from(error);
                let Some(text) = error.validation_message() else { return Err(error) };
                layout.banner = Some(Banner::danger(text));
                break;
            }
        };
        policies.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    policies
        .retain(|one| query.matches(&[&one.name, one.description.as_deref().unwrap_or_default()]));
    if query.sort == "name" {
        policies.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let row = |one: Policy| Row {
        id: one.rule.id,
        name: one.name,
        description: one.description.unwrap_or_default(),
        identities: one.rule.identities.len(),
        resources: one.rule.resources.len(),
        actions: one.rule.permissions.allow.len(),
        created: format_minute(one.created_at),
    };
    let table = query.paginate(policies).map(row);
    let [who, what, on] = [&identity, &action, &resource].map(|text| encoded(text));
    let of = if of_server { "&of=server" } else { "" };
    let rest = format!("&identity={who}&action={what}&resource={on}{of}");
    PageResponse::render(&ListPage { layout, table, of_server, identity, resource, action, rest })
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    render_form(
        &request,
        request.layout(SECTION),
        None,
        PolicyForm::default(),
        EditorState::of(&request),
    )
    .await
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    if let Some(answered) = prepare(&request, None).await {
        return answered;
    }
    let form = PolicyForm::read(&request.form);
    if let Some(answered) = ask_first(&request, None, &form).await {
        return answered;
    }
    match request.iam.create_policy(&context, form.input()).await {
        Ok(policy) => Ok(PageResponse::redirect(format!(
            "/policies/{}?told=told-policy-created",
            policy.rule.id
        ))),
        Err(error) => refused(&request, error, None, form).await,
    }
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let policy = request.iam.policy(&request.context()?, id(&request)).await?;
    let state = Some((policy.rule.id, policy.read_only));
    render_form(
        &request,
        request.layout_with_flash(SECTION),
        state,
        PolicyForm::of(policy),
        EditorState::of(&request),
    )
    .await
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let id = id(&request)?;
    if let Some(answered) = prepare(&request, Some(id)).await {
        return answered;
    }
    let form = PolicyForm::read(&request.form);
    if let Some(answered) = ask_first(&request, Some(id), &form).await {
        return answered;
    }
    match request.iam.edit_policy(&context, Ok(id), form.input()).await {
        Ok(_) => Ok(PageResponse::redirect(format!("/policies/{id}?told=told-edited"))),
        Err(error) => refused(&request, error, Some(id), form).await,
    }
}

pub(crate) async fn delete_form(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let policy = request.iam.policy(&context, id(&request)).await?;
    let proposal = Proposal { id: Some(policy.rule.id), input: None };
    let diffs = request.iam.diffs(&context, Ok(proposal)).await?;
    PageResponse::render(&DeletePage {
        changes: Some(Changes { diffs, seen: String::new() }),
        layout: request.layout(SECTION),
        id: policy.rule.id,
        name: policy.name,
        identities: policy.rule.identities,
    })
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_policy(&request.context()?, id(&request)).await?;
    Ok(PageResponse::redirect("/policies?told=told-policy-deleted"))
}

fn id(request: &RequestContext) -> Result<PolicyId, IamError> {
    request.parameter(0).parse().map_err(|_| IamError::NotFound)
}

/// What a button does to the form without saving it, so that it works without a script; nothing
/// for the button that saves.
async fn prepare(request: &RequestContext, id: Option<PolicyId>) -> Option<HandlerResult> {
    let mut form = PolicyForm::read(&request.form);
    let mut layout = request.layout(SECTION);
    let mut state = EditorState::of(request);
    let mut words = request.form.get("do").split(' ');
    match words.next().unwrap_or_default() {
        "tree" => {
            let (act, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            form.conditions.change(act, path);
        }
        "all" => {
            let kind = words.next().unwrap_or_default();
            let category = words.next().unwrap_or_default();
            for action in actions_of_category(&request.iam.catalogue(), kind, category) {
                add(&mut form.allow, &action);
            }
            kind.clone_into(&mut state.opened);
        }
        "add-type" => {
            let kind = request.form.get("type");
            let region = request.iam.settings().region;
            add(&mut form.resources, &format!("urn:v1:{region}:resource:{kind}:*"));
        }
        "add-resource" => add(&mut form.resources, request.form.get("resource")),
        // What was ticked is read with everything else.
        "add" | "find" | "find-identity" => {}
        "preview" => match changes(request, id, &form).await {
            Ok(changes) => state.changes = changes,
            Err(error) => match error.validation_message() {
                Some(text) => layout.banner = Some(Banner::danger(text)),
                None => return Some(Err(error)),
            },
        },
        "try" => {
            let asked = match form.input() {
                Ok(input) => {
                    let proposal = Some(Proposal { id, input: Some(input) });
                    state.simulation.ask(request, proposal, &form.name).await
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = asked {
                match error.validation_message() {
                    Some(text) => layout.banner = Some(Banner::danger(text)),
                    None => return Some(Err(error)),
                }
            }
        }
        "read-json" => match PolicyForm::from_json(request.form.get("json")) {
            Ok(read) => form = read,
            Err(error) => layout.banner = Some(Banner::danger(error.to_string())),
        },
        _ => return None,
    }
    Some(render_form(request, layout, id.map(|id| (id, false)), form, state).await)
}

/// What saving would change, as far as the reader may know it.
async fn changes(
    request: &RequestContext,
    id: Option<PolicyId>,
    form: &PolicyForm,
) -> Result<Option<Changes>, PageError> {
    let proposal = form.input().map(|input| Proposal { id, input: Some(input) });
    let diffs = allowed(request.iam.diffs(&request.context()?, proposal).await)?;
    Ok(diffs.map(|diffs| Changes { diffs, seen: form.fingerprint() }))
}

/// Shows what saving changes before it is done, and once only. Nothing where it has been seen,
/// or where there is nothing to see.
async fn ask_first(
    request: &RequestContext,
    id: Option<PolicyId>,
    form: &PolicyForm,
) -> Option<HandlerResult> {
    if request.form.get("seen") == form.fingerprint() {
        return None;
    }
    // What cannot be looked at cannot be saved either, and that is said better there.
    let changes = changes(request, id, form).await.ok()??;
    if changes.are_none() {
        return None;
    }
    let mut layout = request.layout(SECTION);
    let text = request.texts.say("changes-look");
    layout.banner = Some(Banner { kind: "warning", title: "banner-warning", text });
    let state = EditorState { changes: Some(changes), ..EditorState::of(request) };
    Some(render_form(request, layout, id.map(|id| (id, false)), form.clone(), state).await)
}

/// State of the editor beside the fields of the policy.
struct EditorState {
    simulation: SimulationForm,
    changes: Option<Changes>,
    opened: String,
}

impl EditorState {
    /// Reads the fields of the simulation; the rest is empty.
    fn of(request: &RequestContext) -> Self {
        Self {
            simulation: SimulationForm::read(&request.form),
            changes: None,
            opened: String::new(),
        }
    }
}

/// Renders the form again, with its fields and what is wrong with them.
async fn refused(
    request: &RequestContext,
    error: IamError,
    id: Option<PolicyId>,
    form: PolicyForm,
) -> HandlerResult {
    let error = PageError::from(error);
    let Some(text) = error.validation_message() else { return Err(error) };
    let mut layout = request.layout(SECTION);
    layout.banner = Some(Banner::danger(text));
    let id = id.map(|id| (id, false));
    let answer = render_form(request, layout, id, form, EditorState::of(request)).await?;
    Ok(answer.with_status(error.status()))
}

async fn render_form(
    request: &RequestContext,
    layout: Layout,
    policy: Option<(PolicyId, bool)>,
    form: PolicyForm,
    state: EditorState,
) -> HandlerResult {
    let context = request.context()?;
    let find = request.form.get("find").to_lowercase();
    let find_identity = request.form.get("find-identity").to_owned();
    let asked = request.form.get("do") == "find-identity";
    PageResponse::render(&FormPage {
        layout,
        id: policy.map(|(id, _)| id),
        read_only: policy.is_some_and(|(_, read_only)| read_only),
        simulation: state.simulation,
        changes: state.changes,
        json: form.json(),
        terraform: form.terraform(),
        identities: if asked || !find_identity.is_empty() {
            Some(identities(request, &context, &find_identity.to_lowercase()).await?)
        } else {
            None
        },
        find_identity,
        actions: tree(&request.iam.catalogue(), &form),
        opened: state.opened,
        conditions: form.conditions.rows(),
        types: request.iam.catalogue().types().map(str::to_owned).collect(),
        resources: resources(request, &context).await?,
        groups: groups(request, &context, &form).await?,
        found: found(request, &find),
        find,
        policy: form,
    })
}

/// Some of those whom a policy can name and whom a search finds, as far as the reader may know them.
async fn identities(
    request: &RequestContext,
    context: &Context,
    find: &str,
) -> Result<Vec<Choice>, PageError> {
    let iam = &request.iam;
    let clients = allowed(iam.clients(context).await)?.unwrap_or_default();
    let users = allowed(iam.users(context).await)?.unwrap_or_default();
    let groups = allowed(iam.groups(context).await)?.unwrap_or_default();
    let texts = &request.texts;
    let mut choices = Vec::new();
    for client in clients {
        if let Some(urn) = client.identity {
            let label = texts.name("choice-client", &client.name);
            choices.push(Choice { urn, label });
        }
    }
    for user in users {
        let label = texts.name("choice-user", &user.login);
        choices.push(Choice { urn: user.urn, label });
    }
    for group in groups {
        let label = texts.name("choice-group", &group.name);
        choices.push(Choice { urn: group.urn, label });
    }
    choices.retain(|one| {
        one.urn.to_lowercase().contains(find) || one.label.to_lowercase().contains(find)
    });
    choices.truncate(FOUND_IDENTITIES);
    Ok(choices)
}

/// Some resources, as far as the reader may know them.
pub(super) async fn known_resources(
    request: &RequestContext,
    context: &Context,
) -> Result<Vec<Choice>, PageError> {
    let page = PageRequest::new(Some(OFFERED), None, "resources")?;
    let resources = request.iam.resources(context, Ok(ResourceFilter::default()), Ok(page)).await;
    let resources = allowed(resources)?.map(|page| page.items).unwrap_or_default();
    let choice = |one: gatewright_iam::Resource| Choice {
        label: format!("{} ({})", one.display_name, one.urn.resource_type()),
        urn: one.urn.urn().to_owned(),
    };
    Ok(resources.into_iter().map(choice).collect())
}

/// All resource groups and some resources, as far as the reader may know them.
async fn resources(request: &RequestContext, context: &Context) -> Result<Vec<Choice>, PageError> {
    let page = |list| PageRequest::new(Some(OFFERED), None, list);
    let groups = request.iam.resource_groups(context, Ok(page("resource groups")?)).await;
    let groups = allowed(groups)?.map(|page| page.items).unwrap_or_default();
    let region = request.iam.settings().region;
    let group = |one: gatewright_iam::ResourceGroup| Choice {
        urn: gatewright_iam::resource_group_urn(region, one.id),
        label: request.texts.name("choice-group", &one.name),
    };
    let known = known_resources(request, context).await?;
    Ok(groups.into_iter().map(group).chain(known).collect())
}

/// The permissions groups to choose from, and those that are chosen and not known.
async fn groups(
    request: &RequestContext,
    context: &Context,
    form: &PolicyForm,
) -> Result<Vec<GroupChoice>, PageError> {
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let known = allowed(request.iam.permissions_groups(context, Ok(page)).await)?;
    let known = known.map(|page| page.items).unwrap_or_default();
    let mut choices: Vec<GroupChoice> = known
        .into_iter()
        .map(|one| GroupChoice {
            chosen: form.groups.contains(&one.urn),
            urn: one.urn,
            name: one.name,
            description: one.description,
        })
        .collect();
    for urn in &form.groups {
        if !choices.iter().any(|one| one.urn == *urn) {
            let (name, description) = (urn.clone(), String::new());
            choices.push(GroupChoice { urn: urn.clone(), name, description, chosen: true });
        }
    }
    Ok(choices)
}

/// The actions whose name or description holds all words of the search.
fn found(request: &RequestContext, find: &str) -> Vec<Found> {
    let words: Vec<&str> = find.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let fits = |action: &&gatewright_iam::Action| {
        let (name, text) = (action.name.to_lowercase(), action.description.to_lowercase());
        words.iter().all(|word| name.contains(word) || text.contains(word))
    };
    let catalogue = request.iam.catalogue();
    let actions = catalogue.actions(None).into_iter().filter(fits).take(FOUND);
    let found = actions.map(|action| Found {
        name: action.name.clone(),
        description: action.description.clone(),
        category: category_name(action),
    });
    found.collect()
}
