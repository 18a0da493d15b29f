//! Policies: the table, and the form that makes and changes one.

mod conditions;
mod tree;
mod typed;

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    AccessDiffs, ConditionsChange, Context, IamError, PageRequest, Policy, PolicyFilter, Proposal,
    ResourceFilter,
};
use uuid::Uuid;

use super::trial::TrialForm;
use super::{allowed, moment};
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Banner, Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;
use tree::{TypeActions, of_category, tree};
use typed::Typed;
pub(super) use typed::{add, lines};

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "created"];

/// So many actions are shown that a search finds.
const FOUND: usize = 200;

/// So many identities are shown that a search finds.
const FOUND_IDENTITIES: usize = 50;

/// So many resources are offered to choose from.
const OFFERED: usize = 500;

#[derive(Template)]
#[template(path = "policies/list.html")]
struct ListPage {
    frame: Frame,
    table: Cut<Row>,
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
    id: Uuid,
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
    frame: Frame,
    /// The policy that is changed; none when one is made.
    id: Option<Uuid>,
    read_only: bool,
    typed: Typed,
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
    trial: TrialForm,
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
    frame: Frame,
    id: Uuid,
    name: String,
    identities: Vec<String>,
    changes: Option<Changes>,
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let of_server = visit.query.get("of") == "server";
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let text = |name| visit.query.get(name).to_owned();
    let (identity, resource, action) = (text("identity"), text("resource"), text("action"));
    let one =
        |text: &String| Some(text.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    let filter = PolicyFilter {
        identities: one(&identity),
        resources: one(&resource),
        actions: one(&action),
        read_only: Some(of_server),
    };
    let mut frame = visit.told(SECTION);
    let mut policies = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = PageRequest::new(Some(PageRequest::MAX_SIZE), cursor.as_deref(), "policies")?;
        let page = match visit.iam.policies(&context, Ok(filter.clone()), Ok(page)).await {
            Ok(page) => page,
            Err(error) => {
                let refusal = Refusal::from(error);
                let Some(text) = refusal.about_input() else { return Err(refusal) };
                frame.banner = Some(Banner::danger(text));
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
        .retain(|one| wanted.fits(&[&one.name, one.description.as_deref().unwrap_or_default()]));
    if wanted.sort == "name" {
        policies.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let row = |one: Policy| Row {
        id: one.rule.id,
        name: one.name,
        description: one.description.unwrap_or_default(),
        identities: one.rule.identities.len(),
        resources: one.rule.resources.len(),
        actions: one.rule.permissions.allow.len(),
        created: moment(one.created_at),
    };
    let table = wanted.cut(policies).map(row);
    let [who, what, on] = [&identity, &action, &resource].map(|text| encoded(text));
    let of = if of_server { "&of=server" } else { "" };
    let rest = format!("&identity={who}&action={what}&resource={on}{of}");
    Answer::page(&ListPage { frame, table, of_server, identity, resource, action, rest })
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    form(&visit, visit.frame(SECTION), None, Typed::default(), Shown::of(&visit)).await
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    if let Some(answered) = prepare(&visit, None).await {
        return answered;
    }
    let typed = Typed::read(&visit.form);
    if let Some(answered) = ask_first(&visit, None, &typed).await {
        return answered;
    }
    match visit.iam.create_policy(&context, typed.input()).await {
        Ok(policy) => {
            Ok(Answer::go(format!("/policies/{}?told=told-policy-created", policy.rule.id)))
        }
        Err(error) => refused(&visit, error, None, typed).await,
    }
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let policy = visit.iam.policy(&visit.context()?, id(&visit)).await?;
    let shown = Some((policy.rule.id, policy.read_only));
    form(&visit, visit.told(SECTION), shown, Typed::of(policy), Shown::of(&visit)).await
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let id = id(&visit)?;
    if let Some(answered) = prepare(&visit, Some(id)).await {
        return answered;
    }
    let typed = Typed::read(&visit.form);
    if let Some(answered) = ask_first(&visit, Some(id), &typed).await {
        return answered;
    }
    match visit.iam.edit_policy(&context, Ok(id), typed.input()).await {
        Ok(_) => Ok(Answer::go(format!("/policies/{id}?told=told-edited"))),
        Err(error) => refused(&visit, error, Some(id), typed).await,
    }
}

pub(crate) async fn ask_delete(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let policy = visit.iam.policy(&context, id(&visit)).await?;
    let proposal = Proposal { id: Some(policy.rule.id), input: None };
    let diffs = visit.iam.diffs(&context, Ok(proposal)).await?;
    Answer::page(&DeletePage {
        changes: Some(Changes { diffs, seen: String::new() }),
        frame: visit.frame(SECTION),
        id: policy.rule.id,
        name: policy.name,
        identities: policy.rule.identities,
    })
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_policy(&visit.context()?, id(&visit)).await?;
    Ok(Answer::go("/policies?told=told-policy-deleted"))
}

fn id(visit: &Visit) -> Result<Uuid, IamError> {
    Uuid::parse_str(visit.parameter(0)).map_err(|_| IamError::NotFound)
}

/// What a button does to the form without saving it, so that it works without a script; nothing
/// for the button that saves.
async fn prepare(visit: &Visit, id: Option<Uuid>) -> Option<Answered> {
    let mut typed = Typed::read(&visit.form);
    let mut frame = visit.frame(SECTION);
    let mut shown = Shown::of(visit);
    let mut words = visit.form.get("do").split(' ');
    match words.next().unwrap_or_default() {
        "tree" => {
            let (act, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            typed.conditions.change(act, path);
        }
        "all" => {
            let kind = words.next().unwrap_or_default();
            let category = words.next().unwrap_or_default();
            for action in of_category(&visit.iam.catalogue(), kind, category) {
                add(&mut typed.allow, &action);
            }
            kind.clone_into(&mut shown.opened);
        }
        "add-type" => {
            let kind = visit.form.get("type");
            let region = visit.iam.settings().region;
            add(&mut typed.resources, &format!("urn:v1:{region}:resource:{kind}:*"));
        }
        "add-resource" => add(&mut typed.resources, visit.form.get("resource")),
        // What was ticked is read with everything else.
        "add" | "find" | "find-identity" => {}
        "preview" => match changes(visit, id, &typed).await {
            Ok(changes) => shown.changes = changes,
            Err(refusal) => match refusal.about_input() {
                Some(text) => frame.banner = Some(Banner::danger(text)),
                None => return Some(Err(refusal)),
            },
        },
        "try" => {
            let asked = match typed.input() {
                Ok(input) => {
                    let proposal = Some(Proposal { id, input: Some(input) });
                    shown.trial.ask(visit, proposal, &typed.name).await
                }
                Err(error) => Err(error.into()),
            };
            if let Err(refusal) = asked {
                match refusal.about_input() {
                    Some(text) => frame.banner = Some(Banner::danger(text)),
                    None => return Some(Err(refusal)),
                }
            }
        }
        "read-json" => match Typed::from_json(visit.form.get("json")) {
            Ok(read) => typed = read,
            Err(error) => frame.banner = Some(Banner::danger(error.to_string())),
        },
        _ => return None,
    }
    Some(form(visit, frame, id.map(|id| (id, false)), typed, shown).await)
}

/// What saving would change, as far as the reader may know it.
async fn changes(
    visit: &Visit,
    id: Option<Uuid>,
    typed: &Typed,
) -> Result<Option<Changes>, Refusal> {
    let proposal = typed.input().map(|input| Proposal { id, input: Some(input) });
    let diffs = allowed(visit.iam.diffs(&visit.context()?, proposal).await)?;
    Ok(diffs.map(|diffs| Changes { diffs, seen: typed.fingerprint() }))
}

/// What saving changes is shown before it is done, and once only. Nothing where it has been seen,
/// or where there is nothing to see.
async fn ask_first(visit: &Visit, id: Option<Uuid>, typed: &Typed) -> Option<Answered> {
    if visit.form.get("seen") == typed.fingerprint() {
        return None;
    }
    // What cannot be looked at cannot be saved either, and that is said better there.
    let changes = changes(visit, id, typed).await.ok()??;
    if changes.are_none() {
        return None;
    }
    let mut frame = visit.frame(SECTION);
    let text = visit.texts.say("changes-look");
    frame.banner = Some(Banner { kind: "warning", title: "banner-warning", text });
    let shown = Shown { changes: Some(changes), ..Shown::of(visit) };
    Some(form(visit, frame, id.map(|id| (id, false)), typed.clone(), shown).await)
}

/// What is shown beside the form.
struct Shown {
    trial: TrialForm,
    changes: Option<Changes>,
    opened: String,
}

impl Shown {
    /// What was typed into the trial, and nothing else as yet.
    fn of(visit: &Visit) -> Self {
        Self { trial: TrialForm::read(&visit.form), changes: None, opened: String::new() }
    }
}

/// The form again, with what was typed and what is wrong with it.
async fn refused(visit: &Visit, error: IamError, id: Option<Uuid>, typed: Typed) -> Answered {
    let refusal = Refusal::from(error);
    let Some(text) = refusal.about_input() else { return Err(refusal) };
    let mut frame = visit.frame(SECTION);
    frame.banner = Some(Banner::danger(text));
    let id = id.map(|id| (id, false));
    let answer = form(visit, frame, id, typed, Shown::of(visit)).await?;
    Ok(answer.with_status(refusal.status()))
}

async fn form(
    visit: &Visit,
    frame: Frame,
    policy: Option<(Uuid, bool)>,
    typed: Typed,
    shown: Shown,
) -> Answered {
    let context = visit.context()?;
    let find = visit.form.get("find").to_lowercase();
    let find_identity = visit.form.get("find-identity").to_owned();
    let asked = visit.form.get("do") == "find-identity";
    Answer::page(&FormPage {
        frame,
        id: policy.map(|(id, _)| id),
        read_only: policy.is_some_and(|(_, read_only)| read_only),
        trial: shown.trial,
        changes: shown.changes,
        json: typed.json(),
        terraform: typed.terraform(),
        identities: if asked || !find_identity.is_empty() {
            Some(identities(visit, &context, &find_identity.to_lowercase()).await?)
        } else {
            None
        },
        find_identity,
        actions: tree(&visit.iam.catalogue(), &typed),
        opened: shown.opened,
        conditions: typed.conditions.rows(),
        types: visit.iam.catalogue().types().map(str::to_owned).collect(),
        resources: resources(visit, &context).await?,
        groups: groups(visit, &context, &typed).await?,
        found: found(visit, &find),
        find,
        typed,
    })
}

/// Some of those whom a policy can name and whom a search finds, as far as the reader may know them.
async fn identities(visit: &Visit, context: &Context, find: &str) -> Result<Vec<Choice>, Refusal> {
    let iam = &visit.iam;
    let clients = allowed(iam.clients(context).await)?.unwrap_or_default();
    let users = allowed(iam.users(context).await)?.unwrap_or_default();
    let groups = allowed(iam.groups(context).await)?.unwrap_or_default();
    let texts = &visit.texts;
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
    visit: &Visit,
    context: &Context,
) -> Result<Vec<Choice>, Refusal> {
    let page = PageRequest::new(Some(OFFERED), None, "resources")?;
    let resources = visit.iam.resources(context, Ok(ResourceFilter::default()), Ok(page)).await;
    let resources = allowed(resources)?.map(|page| page.items).unwrap_or_default();
    let choice = |one: gatewright_iam::Resource| Choice {
        label: format!("{} ({})", one.display_name, one.urn.resource_type()),
        urn: one.urn.urn().to_owned(),
    };
    Ok(resources.into_iter().map(choice).collect())
}

/// All resource groups and some resources, as far as the reader may know them.
async fn resources(visit: &Visit, context: &Context) -> Result<Vec<Choice>, Refusal> {
    let page = |list| PageRequest::new(Some(OFFERED), None, list);
    let groups = visit.iam.resource_groups(context, Ok(page("resource groups")?)).await;
    let groups = allowed(groups)?.map(|page| page.items).unwrap_or_default();
    let region = visit.iam.settings().region;
    let group = |one: gatewright_iam::ResourceGroup| Choice {
        urn: gatewright_iam::resource_group_urn(region, one.id),
        label: visit.texts.name("choice-group", &one.name),
    };
    let known = known_resources(visit, context).await?;
    Ok(groups.into_iter().map(group).chain(known).collect())
}

/// The permissions groups to choose from, and those that are chosen and not known.
async fn groups(
    visit: &Visit,
    context: &Context,
    typed: &Typed,
) -> Result<Vec<GroupChoice>, Refusal> {
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let known = allowed(visit.iam.permissions_groups(context, Ok(page)).await)?;
    let known = known.map(|page| page.items).unwrap_or_default();
    let mut choices: Vec<GroupChoice> = known
        .into_iter()
        .map(|one| GroupChoice {
            chosen: typed.groups.contains(&one.urn),
            urn: one.urn,
            name: one.name,
            description: one.description,
        })
        .collect();
    for urn in &typed.groups {
        if !choices.iter().any(|one| one.urn == *urn) {
            let (name, description) = (urn.clone(), String::new());
            choices.push(GroupChoice { urn: urn.clone(), name, description, chosen: true });
        }
    }
    Ok(choices)
}

/// The actions whose name or description holds all words of the search.
fn found(visit: &Visit, find: &str) -> Vec<Found> {
    let words: Vec<&str> = find.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let fits = |action: &&gatewright_iam::Action| {
        let (name, text) = (action.name.to_lowercase(), action.description.to_lowercase());
        words.iter().all(|word| name.contains(word) || text.contains(word))
    };
    let catalogue = visit.iam.catalogue();
    let actions = catalogue.actions(None).into_iter().filter(fits).take(FOUND);
    let found = actions.map(|action| Found {
        name: action.name.clone(),
        description: action.description.clone(),
        category: action.categories.first().map_or("", |category| category.as_str()),
    });
    found.collect()
}
