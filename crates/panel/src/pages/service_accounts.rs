//! Service accounts: the table, and the life of one.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use gatewright_iam::{
    Client, ClientEdit, ClientInput, Context, EffectivePermissions, Flow, IamError, Line, LogKind,
    PageRequest, Policy, PolicyFilter, PolicyId, Secret,
};

use super::{allowed, format_minute, instant};
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const SECTION: Section = Section::ServiceAccounts;

const COLUMNS: [&str; 4] = ["name", "description", "created", "used"];

/// Of the service accounts, those that were never used, or not for long.
const ONLY: [&str; 2] = ["never", "unused"];

/// One that was not used for so long counts as unused.
pub(super) const UNUSED: Duration = Duration::from_hours(90 * 24);

/// So many policies are offered to choose from.
const OFFERED: usize = 200;

/// So many lines of a log are shown of one.
const LINES: usize = 10;

#[derive(Template)]
#[template(path = "service_accounts/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
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
    layout: Layout,
    /// The service account that is changed; none when one is made.
    id: Option<String>,
    name: String,
    description: String,
}

#[derive(Template)]
#[template(path = "service_accounts/created.html")]
struct CreatedPage {
    layout: Layout,
    client: Client,
    secret: Secret,
}

#[derive(Template)]
#[template(path = "service_accounts/details.html")]
struct DetailsPage {
    layout: Layout,
    client: Client,
    created: String,
    used: String,
    policies: Named,
    /// What it may do; none where the reader may not know.
    reach: Option<Vec<EffectivePermissionsRow>>,
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
    layout: Layout,
    client: Client,
    policies: Named,
}

/// What it may do on something.
struct EffectivePermissionsRow {
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
    id: PolicyId,
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

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let mut clients = request.iam.clients(&context).await?;
    let used = request.iam.clients_used(&context).await?;
    let any = !clients.is_empty();
    let asked = request.query.get("only");
    let only = ONLY.into_iter().find(|one| *one == asked).unwrap_or_default();
    clients.retain(|one| {
        let used = used.get(&one.id);
        let shown = match only {
            "never" => used.is_none(),
            "unused" => used.is_none_or(|used| *used < request.now.saturating_sub(UNUSED)),
            _ => true,
        };
        shown && query.matches(&[&one.name, &one.description, &one.id])
    });
    match query.sort.as_str() {
        "name" => clients.sort_by_cached_key(|one| one.name.to_lowercase()),
        "description" => clients.sort_by_cached_key(|one| one.description.to_lowercase()),
        "used" => clients.sort_by_key(|one| used.get(&one.id)),
        _ => clients.sort_by_key(|one| one.created_at),
    }
    let page = query.paginate(clients);
    let urns: Vec<&str> = page.rows.iter().filter_map(|one| one.identity.as_deref()).collect();
    let counts = allowed(request.iam.policy_counts(&context, &urns).await)?;
    let mut counts = counts.into_iter().flatten();
    let row = |one: Client| Row {
        used: used.get(&one.id).map_or("--".to_owned(), |used| format_minute(*used)),
        policies: one.identity.as_ref().and_then(|_| counts.next()),
        id: one.id,
        name: one.name,
        description: one.description,
        created: format_minute(one.created_at),
    };
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        table: page.map(row),
        any,
        only,
        rest: format!("&only={only}"),
    })
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    let layout = request.layout(SECTION);
    PageResponse::render(&FormPage {
        layout,
        id: None,
        name: String::new(),
        description: String::new(),
    })
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let (name, description) = typed(&request);
    let input = ClientInput {
        name: name.clone(),
        description: description.clone(),
        flow: Flow::ClientCredentials,
        callback_urls: Vec::new(),
    };
    match request.iam.create_client(&context, Ok(input)).await {
        Ok((client, secret)) => {
            PageResponse::render(&CreatedPage { layout: request.layout(SECTION), client, secret })
        }
        Err(error) => request.again(error.into(), SECTION, |layout| {
            PageResponse::render(&FormPage { layout, id: None, name, description })
        }),
    }
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let client = request.iam.client(&context, request.parameter(0)).await?;
    let policies = named(&request, &context, &client).await?;
    let mut others = Vec::new();
    if client.identity.is_some() && policies.is_some() {
        let filter = PolicyFilter { read_only: Some(false), ..PolicyFilter::default() };
        let page = PageRequest::new(Some(OFFERED), None, "attach")?;
        let all = request.iam.policies(&context, Ok(filter), Ok(page)).await?;
        let known = |id| policies.iter().flatten().any(|one| one.id == id);
        others = all.items.into_iter().filter(|one| !known(one.rule.id)).map(Into::into).collect();
    }
    let (mut reach, mut tokens, mut decisions) = (None, Vec::new(), None);
    if let Some(identity) = &client.identity {
        let last = async |kind| request.iam.last_lines(&context, kind, identity, LINES).await;
        reach = allowed(request.iam.effective_permissions(&context, identity).await)?;
        tokens = last(LogKind::Token).await?;
        decisions = allowed(last(LogKind::Decision).await)?;
    }
    let used = request.iam.clients_used(&context).await?;
    let reach_row = |one: EffectivePermissions| {
        let EffectivePermissions { kind, resource, actions, conditional, total } = one;
        EffectivePermissionsRow { kind, resource, actions, conditional, total }
    };
    let rows = |lines: Vec<Line>| lines.into_iter().map(LineRow::from).collect();
    PageResponse::render(&DetailsPage {
        layout: request.layout_with_flash(SECTION),
        created: format_minute(client.created_at),
        used: used.get(&client.id).map_or("--".to_owned(), |used| format_minute(*used)),
        reach: reach.map(|reach| reach.into_iter().map(reach_row).collect()),
        tokens: rows(tokens),
        decisions: decisions.map(rows),
        client,
        policies,
        others,
        public_url: request.iam.settings().public_url.clone(),
    })
}

pub(crate) async fn edit_form(request: Arc<RequestContext>) -> HandlerResult {
    let client = request.iam.client(&request.context()?, request.parameter(0)).await?;
    let Client { id, name, description, .. } = client;
    PageResponse::render(&FormPage {
        layout: request.layout(SECTION),
        id: Some(id),
        name,
        description,
    })
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let id = request.parameter(0);
    let (name, description) = typed(&request);
    let edit = ClientEdit {
        name: Some(name.clone()),
        description: Some(description.clone()),
        callback_urls: None,
    };
    match request.iam.edit_client(&context, id, Ok(edit)).await {
        Ok(_) => Ok(PageResponse::redirect(format!("{}?told=told-edited", path(id)))),
        Err(error) => request.again(error.into(), SECTION, |layout| {
            PageResponse::render(&FormPage { layout, id: Some(id.to_owned()), name, description })
        }),
    }
}

pub(crate) async fn delete_form(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let client = request.iam.client(&context, request.parameter(0)).await?;
    let policies = named(&request, &context, &client).await?;
    PageResponse::render(&DeletePage { layout: request.layout(SECTION), client, policies })
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_client(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/service-accounts?told=told-deleted"))
}

/// Takes the service account out of one policy, or out of all that may be changed.
pub(crate) async fn detach(request: Arc<RequestContext>) -> HandlerResult {
    set_policies(&request, false).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-detached", path(request.parameter(0)))))
}

/// Makes a policy name the service account.
pub(crate) async fn attach(request: Arc<RequestContext>) -> HandlerResult {
    set_policies(&request, true).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-attached", path(request.parameter(0)))))
}

async fn set_policies(request: &RequestContext, attached: bool) -> Result<(), PageError> {
    let context = request.context()?;
    let client = request.iam.client(&context, request.parameter(0)).await?;
    let identity = client.identity.ok_or(IamError::NotFound)?;
    for text in request.form.all("policy") {
        let id: PolicyId = text.parse().map_err(|_| IamError::NotFound)?;
        request.iam.set_policy_identity(&context, Ok(id), &identity, attached).await?;
    }
    Ok(())
}

/// The policies that name the service account, as far as the reader may know them.
async fn named(
    request: &RequestContext,
    context: &Context,
    client: &Client,
) -> Result<Named, PageError> {
    let Some(identity) = &client.identity else { return Ok(Some(Vec::new())) };
    let filter = PolicyFilter { identities: vec![identity.clone()], ..PolicyFilter::default() };
    let page = request.iam.policies(context, Ok(filter), Ok(first_page("named")?)).await;
    Ok(allowed(page)?.map(|page| page.items.into_iter().map(Into::into).collect()))
}

fn first_page(list: &str) -> Result<PageRequest, IamError> {
    PageRequest::new(Some(PageRequest::MAX_SIZE), None, list)
}

fn typed(request: &RequestContext) -> (String, String) {
    (request.form.get("name").to_owned(), request.form.get("description").to_owned())
}

fn path(id: &str) -> String {
    format!("/service-accounts/{}", encoded(id))
}
