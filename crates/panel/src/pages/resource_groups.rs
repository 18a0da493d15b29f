//! Resource groups: resources that policies name together.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    IamError, Member, PageRequest, ResourceGroup, ResourceGroupId, ResourceGroupInput,
    resource_group_urn,
};

use super::format_minute;
use super::policies::{add, lines};
use crate::error::PageError;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "created"];

#[derive(Template)]
#[template(path = "resource_groups/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
}

struct Row {
    id: ResourceGroupId,
    name: String,
    resources: usize,
    read_only: bool,
    created: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "resource_groups/form.html")]
struct FormPage {
    layout: Layout,
    /// The group that is changed; none when one is made.
    id: Option<ResourceGroupId>,
    read_only: bool,
    urn: String,
    name: String,
    /// One URN a line.
    resources: String,
    choices: Vec<super::policies::Choice>,
}

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "resource groups")?;
    let mut groups = request.iam.resource_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| query.matches(&[&one.name]));
    if query.sort == "name" {
        groups.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let row = |one: ResourceGroup| Row {
        id: one.id,
        name: one.name,
        resources: one.resources.len(),
        read_only: one.read_only,
        created: format_minute(one.created_at),
        changed: one.updated_at.map_or("--".to_owned(), format_minute),
    };
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        table: query.paginate(groups).map(row),
    })
}

async fn form(
    request: &RequestContext,
    layout: Layout,
    group: Option<(ResourceGroupId, bool)>,
    (name, resources): (String, String),
) -> HandlerResult {
    let region = request.iam.settings().region;
    let id = group.map(|(id, _)| id);
    PageResponse::render(&FormPage {
        layout,
        id,
        read_only: group.is_some_and(|(_, read_only)| read_only),
        urn: id.map(|id| resource_group_urn(region, id)).unwrap_or_default(),
        name,
        resources,
        choices: super::policies::known_resources(request, &request.context()?).await?,
    })
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    form(&request, request.layout(SECTION), None, (String::new(), String::new())).await
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let group = request.iam.resource_group(&request.context()?, id(&request)).await?;
    let shown = Some((group.id, group.read_only));
    form(
        &request,
        request.layout_with_flash(SECTION),
        shown,
        (group.name, group.resources.join("\n")),
    )
    .await
}

fn id(request: &RequestContext) -> Result<ResourceGroupId, IamError> {
    request.parameter(0).parse().map_err(|_| IamError::NotFound)
}

/// What was typed, with what was chosen from the list.
fn typed(request: &RequestContext) -> (String, String) {
    let mut resources = request.form.get("resources").to_owned();
    add(&mut resources, request.form.get("resource"));
    (request.form.get("name").to_owned(), resources)
}

fn input((name, resources): &(String, String)) -> ResourceGroupInput {
    let resources = lines(resources).into_iter().map(Member::Urn).collect();
    ResourceGroupInput { name: name.clone(), resources }
}

async fn again(
    request: &RequestContext,
    error: IamError,
    id: Option<ResourceGroupId>,
    typed: (String, String),
) -> HandlerResult {
    let error = PageError::from(error);
    let Some(text) = error.validation_message() else { return Err(error) };
    let mut layout = request.layout(SECTION);
    layout.banner = Some(Banner::danger(text));
    let page = form(request, layout, id.map(|id| (id, false)), typed).await?;
    Ok(page.with_status(error.status()))
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let typed = typed(&request);
    if request.form.get("do") == "add" {
        return form(&request, request.layout(SECTION), None, typed).await;
    }
    match request.iam.create_resource_group(&context, Ok(input(&typed))).await {
        Ok(_) => Ok(PageResponse::redirect("/resource-groups?told=told-group-created")),
        Err(error) => again(&request, error, None, typed).await,
    }
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let (id, typed) = (id(&request)?, typed(&request));
    if request.form.get("do") == "add" {
        return form(&request, request.layout(SECTION), Some((id, false)), typed).await;
    }
    match request.iam.edit_resource_group(&context, Ok(id), Ok(input(&typed))).await {
        Ok(_) => Ok(PageResponse::redirect(format!("/resource-groups/{id}?told=told-edited"))),
        Err(error) => again(&request, error, Some(id), typed).await,
    }
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_resource_group(&request.context()?, id(&request)).await?;
    Ok(PageResponse::redirect("/resource-groups?told=told-group-deleted"))
}
