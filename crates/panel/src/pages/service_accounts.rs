//! Service accounts: the table, and the life of one.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Client, ClientEdit, ClientInput, Context, EffectivePermissions, Flow, IamError, Line, LogKind,
    PageRequest, Policy, PolicyFilter, Secret,
};
use uuid::Uuid;

use super::{allowed, instant, moment};
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::ServiceAccounts;

const COLUMNS: [&str; 4] = ["name", "description", "created", "used"];

/// Of the service accounts, those that were never used, or not for long.
const ONLY: [&str; 2] = ["never", "unused"];

/// One that was not used for so long counts as unused: microseconds.
pub(super) const UNUSED: i64 = 90 * 24 * 3_600_000_000;

/// So many policies are offered to choose from.
const OFFERED: usize = 200;

/// So many lines of a log are shown of one.
const LINES: usize = 10;

#[derive(Template)]
#[template(path = "service_accounts/list.html")]
struct ListPage {
    frame: Frame,
    table: Cut<Row>,
    /// Whether there is any at all.
    any: bool,
    /// Which are shown: all, those never used, or those not used for long.
    only: &'static str,
    /// What a link to another page of the table must say of that.
    rest: String,
}

struct Row {
    id: String,
    name: String,
    description: String,
    created: String,
    used: String,
    /// How many policies name it; none where the reader may not know, or nothing can name it.
    policies: Option<usize>,
}

#[derive(Template)]
#[template(path = "service_accounts/form.html")]
struct FormPage {
    frame: Frame,
    /// The service account that is changed; none when one is made.
    id: Option<String>,
    name: String,
    description: String,
}

#[derive(Template)]
#[template(path = "service_accounts/created.html")]
struct CreatedPage {
    frame: Frame,
    client: Client,
    secret: Secret,
}

#[derive(Template)]
#[template(path = "service_accounts/details.html")]
struct DetailsPage {
    frame: Frame,
    client: Client,
    created: String,
    used: String,
    policies: Named,
    /// What it may do; none where the reader may not know.
    reach: Option<Vec<ReachRow>>,
    /// The last tokens that it asked for.
    tokens: Vec<LineRow>,
    /// The last decisions for it; none where the reader may not know.
    decisions: Option<Vec<LineRow>>,
    /// The policies that do not name it, and may be made to.
    others: Vec<PolicyRow>,
    public_url: String,
}

#[derive(Template)]
#[template(path = "service_accounts/delete.html")]
struct DeletePage {
    frame: Frame,
    client: Client,
    policies: Named,
}

/// What it may do on something.
struct ReachRow {
    kind: String,
    resource: String,
    actions: Vec<String>,
    conditional: usize,
    total: usize,
}

/// A line of a log.
struct LineRow {
    at: String,
    what: String,
    on: String,
    allowed: bool,
    ip: String,
}

impl From<Line> for LineRow {
    fn from(line: Line) -> Self {
        Self {
            at: instant(line.at),
            what: line.what,
            on: line.on.unwrap_or_default(),
            allowed: line.allowed,
            ip: line.ip.unwrap_or_default(),
        }
    }
}

struct PolicyRow {
    id: Uuid,
    name: String,
    description: String,
    read_only: bool,
}

/// The policies that name a service account; none where the reader may not know them.
type Named = Option<Vec<PolicyRow>>;

impl From<Policy> for PolicyRow {
    fn from(policy: Policy) -> Self {
        Self {
            id: policy.rule.id,
            name: policy.name,
            description: policy.description.unwrap_or_default(),
            read_only: policy.read_only,
        }
    }
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let mut clients = visit.iam.clients(&context).await?;
    let used = visit.iam.clients_used(&context).await?;
    let any = !clients.is_empty();
    let asked = visit.query.get("only");
    let only = ONLY.into_iter().find(|one| *one == asked).unwrap_or_default();
    clients.retain(|one| {
        let used = used.get(&one.id);
        let shown = match only {
            "never" => used.is_none(),
            "unused" => used.is_none_or(|used| *used < visit.now - UNUSED),
            _ => true,
        };
        shown && wanted.fits(&[&one.name, &one.description, &one.id])
    });
    match wanted.sort.as_str() {
        "name" => clients.sort_by_cached_key(|one| one.name.to_lowercase()),
        "description" => clients.sort_by_cached_key(|one| one.description.to_lowercase()),
        "used" => clients.sort_by_key(|one| used.get(&one.id)),
        _ => clients.sort_by_key(|one| one.created_at),
    }
    let cut = wanted.cut(clients);
    let urns: Vec<&str> = cut.rows.iter().filter_map(|one| one.identity.as_deref()).collect();
    let counts = allowed(visit.iam.policy_counts(&context, &urns).await)?;
    let mut counts = counts.into_iter().flatten();
    let row = |one: Client| Row {
        used: used.get(&one.id).map_or("--".to_owned(), |used| moment(*used)),
        policies: one.identity.as_ref().and_then(|_| counts.next()),
        id: one.id,
        name: one.name,
        description: one.description,
        created: moment(one.created_at),
    };
    Answer::page(&ListPage {
        frame: visit.told(SECTION),
        table: cut.map(row),
        any,
        only,
        rest: format!("&only={only}"),
    })
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    let frame = visit.frame(SECTION);
    Answer::page(&FormPage { frame, id: None, name: String::new(), description: String::new() })
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let (name, description) = typed(&visit);
    let input = ClientInput {
        name: name.clone(),
        description: description.clone(),
        flow: Flow::ClientCredentials,
        callback_urls: Vec::new(),
    };
    match visit.iam.create_client(&context, Ok(input)).await {
        Ok((client, secret)) => {
            Answer::page(&CreatedPage { frame: visit.frame(SECTION), client, secret })
        }
        Err(error) => visit.again(error.into(), SECTION, |frame| {
            Answer::page(&FormPage { frame, id: None, name, description })
        }),
    }
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let client = visit.iam.client(&context, visit.parameter(0)).await?;
    let policies = named(&visit, &context, &client).await?;
    let mut others = Vec::new();
    if client.identity.is_some() && policies.is_some() {
        let filter = PolicyFilter { read_only: Some(false), ..PolicyFilter::default() };
        let page = PageRequest::new(Some(OFFERED), None, "attach")?;
        let all = visit.iam.policies(&context, Ok(filter), Ok(page)).await?;
        let known = |id| policies.iter().flatten().any(|one| one.id == id);
        others = all.items.into_iter().filter(|one| !known(one.rule.id)).map(Into::into).collect();
    }
    let (mut reach, mut tokens, mut decisions) = (None, Vec::new(), None);
    if let Some(identity) = &client.identity {
        let last = async |kind| visit.iam.last_lines(&context, kind, identity, LINES).await;
        reach = allowed(visit.iam.effective_permissions(&context, identity).await)?;
        tokens = last(LogKind::Token).await?;
        decisions = allowed(last(LogKind::Decision).await)?;
    }
    let used = visit.iam.clients_used(&context).await?;
    let reach_row = |one: EffectivePermissions| {
        let EffectivePermissions { kind, resource, actions, conditional, total } = one;
        ReachRow { kind, resource, actions, conditional, total }
    };
    let rows = |lines: Vec<Line>| lines.into_iter().map(LineRow::from).collect();
    Answer::page(&DetailsPage {
        frame: visit.told(SECTION),
        created: moment(client.created_at),
        used: used.get(&client.id).map_or("--".to_owned(), |used| moment(*used)),
        reach: reach.map(|reach| reach.into_iter().map(reach_row).collect()),
        tokens: rows(tokens),
        decisions: decisions.map(rows),
        client,
        policies,
        others,
        public_url: visit.iam.settings().public_url.clone(),
    })
}

pub(crate) async fn ask_edit(visit: Arc<Visit>) -> Answered {
    let client = visit.iam.client(&visit.context()?, visit.parameter(0)).await?;
    let Client { id, name, description, .. } = client;
    Answer::page(&FormPage { frame: visit.frame(SECTION), id: Some(id), name, description })
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let id = visit.parameter(0);
    let (name, description) = typed(&visit);
    let edit = ClientEdit {
        name: Some(name.clone()),
        description: Some(description.clone()),
        callback_urls: None,
    };
    match visit.iam.edit_client(&context, id, Ok(edit)).await {
        Ok(_) => Ok(Answer::go(format!("{}?told=told-edited", path(id)))),
        Err(error) => visit.again(error.into(), SECTION, |frame| {
            Answer::page(&FormPage { frame, id: Some(id.to_owned()), name, description })
        }),
    }
}

pub(crate) async fn ask_delete(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let client = visit.iam.client(&context, visit.parameter(0)).await?;
    let policies = named(&visit, &context, &client).await?;
    Answer::page(&DeletePage { frame: visit.frame(SECTION), client, policies })
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_client(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/service-accounts?told=told-deleted"))
}

/// Takes the service account out of one policy, or out of all that may be changed.
pub(crate) async fn detach(visit: Arc<Visit>) -> Answered {
    set_policies(&visit, false).await?;
    Ok(Answer::go(format!("{}?told=told-detached", path(visit.parameter(0)))))
}

/// Makes a policy name the service account.
pub(crate) async fn attach(visit: Arc<Visit>) -> Answered {
    set_policies(&visit, true).await?;
    Ok(Answer::go(format!("{}?told=told-attached", path(visit.parameter(0)))))
}

async fn set_policies(visit: &Visit, attached: bool) -> Result<(), Refusal> {
    let context = visit.context()?;
    let client = visit.iam.client(&context, visit.parameter(0)).await?;
    let identity = client.identity.ok_or(IamError::NotFound)?;
    for text in visit.form.all("policy") {
        let id = Uuid::parse_str(text).map_err(|_| IamError::NotFound)?;
        visit.iam.set_policy_identity(&context, Ok(id), &identity, attached).await?;
    }
    Ok(())
}

/// The policies that name the service account, as far as the reader may know them.
async fn named(visit: &Visit, context: &Context, client: &Client) -> Result<Named, Refusal> {
    let Some(identity) = &client.identity else { return Ok(Some(Vec::new())) };
    let filter = PolicyFilter { identities: vec![identity.clone()], ..PolicyFilter::default() };
    let page = visit.iam.policies(context, Ok(filter), Ok(first_page("named")?)).await;
    Ok(allowed(page)?.map(|page| page.items.into_iter().map(Into::into).collect()))
}

fn first_page(list: &str) -> Result<PageRequest, IamError> {
    PageRequest::new(Some(PageRequest::MAX_SIZE), None, list)
}

fn typed(visit: &Visit) -> (String, String) {
    (visit.form.get("name").to_owned(), visit.form.get("description").to_owned())
}

fn path(id: &str) -> String {
    format!("/service-accounts/{}", encoded(id))
}
