//! Resource groups: sets of resources, which policies refer to.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Member, PageRequest, ResourceGroup, ResourceGroupId, ResourceGroupInput, resource_group_urn,
};

use super::choices::{Choice, resource_choices};
use crate::form::{Form, InputError};
use crate::format::{add_line, lines, minute, minute_or_none};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 2] = ["name", "created"];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/resource-groups", list),
        Route::page("/resource-groups/create", create_form),
        Route::form("/resource-groups/create", create),
        Route::page("/resource-groups/{id}", details),
        Route::form("/resource-groups/{id}", edit),
        Route::form("/resource-groups/{id}/delete", delete).revokes(),
    ]
}

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

impl From<ResourceGroup> for Row {
    fn from(one: ResourceGroup) -> Self {
        Self {
            id: one.id,
            name: one.name,
            resources: one.resources.len(),
            read_only: one.read_only,
            created: minute(one.created_at),
            changed: minute_or_none(one.updated_at),
        }
    }
}

#[derive(Template)]
#[template(path = "resource_groups/form.html")]
struct FormPage {
    layout: Layout,
    /// Identifier of the group to change; none to create one.
    id: Option<ResourceGroupId>,
    read_only: bool,
    urn: String,
    name: String,
    /// URNs, one per line.
    resources: String,
    choices: Vec<Choice>,
}

/// Form of a resource group.
struct GroupForm {
    target: Target,
    name: String,
    /// URNs, one per line.
    resources: String,
}

/// Group that a form edits.
#[derive(Clone, Copy)]
enum Target {
    New,
    Existing(ResourceGroupId),
    /// A group of the server.
    ReadOnly(ResourceGroupId),
}

impl GroupForm {
    /// Reads the form, with the resource that was chosen from the list.
    fn read(request: &RequestContext, target: Target) -> Self {
        let mut resources = request.form.get("resources").to_owned();
        add_line(&mut resources, request.form.get("resource"));
        Self { target, name: request.form.get("name").to_owned(), resources }
    }

    fn of(group: ResourceGroup) -> Self {
        let target =
            if group.read_only { Target::ReadOnly(group.id) } else { Target::Existing(group.id) };
        Self { target, name: group.name, resources: group.resources.join("\n") }
    }

    fn input(&self) -> ResourceGroupInput {
        let resources = lines(&self.resources).into_iter().map(Member::Urn).collect();
        ResourceGroupInput { name: self.name.clone(), resources }
    }
}

impl Form for GroupForm {
    const SECTION: Section = Section::Policies;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let (id, read_only) = match self.target {
            Target::New => (None, false),
            Target::Existing(id) => (Some(id), false),
            Target::ReadOnly(id) => (Some(id), true),
        };
        let region = request.iam.settings().region;
        PageResponse::render(&FormPage {
            layout,
            id,
            read_only,
            urn: id.map(|id| resource_group_urn(region, id)).unwrap_or_default(),
            name: self.name,
            resources: self.resources,
            choices: resource_choices(request, &request.context()?).await?,
        })
    }
}

async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "resource groups")?;
    let mut groups = request.iam.resource_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| query.matches(&[&one.name]));
    if query.sort == "name" {
        groups.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let layout = request.layout_with_flash(GroupForm::SECTION);
    PageResponse::render(&ListPage { layout, table: query.paginate(groups).map(Row::from) })
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    GroupForm::read(&request, Target::New).show(&request).await
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let group =
        request.iam.resource_group(&request.context()?, request.id_parameter("id")?).await?;
    GroupForm::of(group).show_with_flash(&request).await
}

/// Checks whether the form was submitted by the button that adds a resource and saves nothing.
fn is_add_button(request: &RequestContext) -> bool {
    request.form.get("do") == "add"
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = GroupForm::read(&request, Target::New);
    if is_add_button(&request) {
        return form.show(&request).await;
    }
    match request.iam.create_resource_group(&context, Ok(form.input())).await {
        Ok(_) => PageResponse::redirect("/resource-groups?flash=flash-group-created"),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let id = request.id_parameter("id")??;
    let form = GroupForm::read(&request, Target::Existing(id));
    if is_add_button(&request) {
        return form.show(&request).await;
    }
    match request.iam.edit_resource_group(&context, Ok(id), Ok(form.input())).await {
        Ok(_) => PageResponse::redirect(format!("/resource-groups/{id}?flash=flash-edited")),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_resource_group(&request.context()?, request.id_parameter("id")?).await?;
    PageResponse::redirect("/resource-groups?flash=flash-group-deleted")
}
