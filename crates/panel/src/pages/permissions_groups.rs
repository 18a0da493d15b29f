//! Permissions groups: sets of permissions, which policies refer to.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    AccountName, PageRequest, Permissions, PermissionsGroup, PermissionsGroupInput,
};

use crate::fields::encoded;
use crate::form::{Form, InputError};
use crate::format::{lines, minute};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 2] = ["name", "owner"];

const CREATE: &str = "/permissions-groups/create";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/permissions-groups", list),
        Route::page(CREATE, create_form),
        Route::form(CREATE, create),
        Route::page("/permissions-groups/{urn}", details),
        Route::form("/permissions-groups/{urn}", edit),
        Route::form("/permissions-groups/{urn}/delete", delete).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "permissions_groups/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
}

struct Row {
    path: String,
    name: String,
    owner: AccountName,
    description: String,
    allow: usize,
    changed: String,
}

impl From<PermissionsGroup> for Row {
    fn from(one: PermissionsGroup) -> Self {
        Self {
            path: group_path(&one.urn),
            name: one.name,
            owner: one.owner,
            description: one.description,
            allow: one.permissions.allow.len(),
            changed: one.updated_at.or(one.created_at).map(minute).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "permissions_groups/form.html")]
struct FormPage {
    layout: Layout,
    /// URN of the group to change; none to create one.
    urn: Option<String>,
    path: String,
    read_only: bool,
    form: GroupForm,
}

/// Form of a permissions group: lists have one entry a line.
struct GroupForm {
    target: Target,
    name: String,
    description: String,
    allow: String,
    except: String,
    deny: String,
}

/// Group that a form edits.
enum Target {
    New,
    Existing {
        urn: String,
    },
    /// A group of another account, or of the server: its form is disabled.
    ReadOnly {
        urn: String,
    },
}

impl GroupForm {
    fn read(request: &RequestContext, target: Target) -> Self {
        let text = |name| request.form.get(name).to_owned();
        Self {
            target,
            name: text("name"),
            description: text("description"),
            allow: text("allow"),
            except: text("except"),
            deny: text("deny"),
        }
    }

    fn of(group: PermissionsGroup, target: Target) -> Self {
        Self {
            target,
            name: group.name,
            description: group.description,
            allow: group.permissions.allow.join("\n"),
            except: group.permissions.except.join("\n"),
            deny: group.permissions.deny.join("\n"),
        }
    }

    fn input(&self) -> PermissionsGroupInput {
        PermissionsGroupInput {
            name: self.name.clone(),
            description: self.description.clone(),
            permissions: Permissions {
                allow: lines(&self.allow),
                except: lines(&self.except),
                deny: lines(&self.deny),
            },
        }
    }
}

impl Form for GroupForm {
    const SECTION: Section = Section::Policies;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        let (urn, read_only) = match &self.target {
            Target::New => (None, false),
            Target::Existing { urn } => (Some(urn.clone()), false),
            Target::ReadOnly { urn } => (Some(urn.clone()), true),
        };
        let path = urn.as_deref().map_or(CREATE.to_owned(), group_path);
        PageResponse::render(&FormPage { layout, urn, path, read_only, form: self })
    }
}

fn group_path(urn: &str) -> String {
    format!("/permissions-groups/{}", encoded(urn))
}

async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let mut groups = request.iam.permissions_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| query.matches(&[&one.name, &one.description]));
    match query.sort.as_str() {
        "owner" => groups.sort_by_cached_key(|one| (one.owner.clone(), one.name.to_lowercase())),
        _ => groups.sort_by_cached_key(|one| one.name.to_lowercase()),
    }
    let layout = request.layout_with_flash(GroupForm::SECTION);
    PageResponse::render(&ListPage { layout, table: query.paginate(groups).map(Row::from) })
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    GroupForm::read(&request, Target::New).show(&request).await
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let group = request.iam.permissions_group(&context, request.parameter("urn")?).await?;
    let urn = group.urn.clone();
    let target =
        if group.is_managed() { Target::ReadOnly { urn } } else { Target::Existing { urn } };
    GroupForm::of(group, target).show_with_flash(&request).await
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let form = GroupForm::read(&request, Target::New);
    match request.iam.create_permissions_group(&request.context()?, Ok(form.input())).await {
        Ok(_) => PageResponse::redirect("/permissions-groups?flash=flash-group-created"),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let (context, urn) = (request.context()?, request.parameter("urn")?);
    let form = GroupForm::read(&request, Target::Existing { urn: urn.to_owned() });
    match request.iam.edit_permissions_group(&context, urn, Ok(form.input())).await {
        Ok(group) => {
            PageResponse::redirect(format!("{}?flash=flash-edited", group_path(&group.urn)))
        }
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let urn = request.parameter("urn")?;
    request.iam.delete_permissions_group(&request.context()?, urn).await?;
    PageResponse::redirect("/permissions-groups?flash=flash-group-deleted")
}
