//! Permissions groups: permissions that policies name together.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{IamError, PageRequest, Permissions, PermissionsGroup, PermissionsGroupInput};

use super::format_minute;
use super::policies::lines;
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "owner"];

#[derive(Template)]
#[template(path = "permissions_groups/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
}

struct Row {
    path: String,
    name: String,
    owner: String,
    description: String,
    allow: usize,
    changed: String,
}

#[derive(Template)]
#[template(path = "permissions_groups/form.html")]
struct FormPage {
    layout: Layout,
    /// The group that is changed; none when one is made.
    urn: Option<String>,
    path: String,
    read_only: bool,
    form: GroupForm,
}

/// The fields as texts, lists one entry a line.
#[derive(Debug, Clone, Default)]
struct GroupForm {
    name: String,
    description: String,
    allow: String,
    except: String,
    deny: String,
}

impl GroupForm {
    fn read(request: &RequestContext) -> Self {
        let text = |name| request.form.get(name).to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            allow: text("allow"),
            except: text("except"),
            deny: text("deny"),
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

fn path(urn: &str) -> String {
    format!("/permissions-groups/{}", encoded(urn))
}

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let mut groups = request.iam.permissions_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| query.matches(&[&one.name, &one.description]));
    match query.sort.as_str() {
        "owner" => groups.sort_by_cached_key(|one| (one.owner.clone(), one.name.to_lowercase())),
        _ => groups.sort_by_cached_key(|one| one.name.to_lowercase()),
    }
    let row = |one: PermissionsGroup| Row {
        path: path(&one.urn),
        name: one.name,
        owner: one.owner,
        description: one.description,
        allow: one.permissions.allow.len(),
        changed: format_minute(one.updated_at.unwrap_or(one.created_at)),
    };
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        table: query.paginate(groups).map(row),
    })
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    let path = "/permissions-groups/create".to_owned();
    let (layout, form) = (request.layout(SECTION), GroupForm::default());
    PageResponse::render(&FormPage { layout, urn: None, path, read_only: false, form })
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let group = request.iam.permissions_group(&context, request.parameter(0)).await?;
    PageResponse::render(&FormPage {
        layout: request.layout_with_flash(SECTION),
        path: path(&group.urn),
        urn: Some(group.urn),
        read_only: group.owner != context.account(),
        form: GroupForm {
            name: group.name,
            description: group.description,
            allow: group.permissions.allow.join("\n"),
            except: group.permissions.except.join("\n"),
            deny: group.permissions.deny.join("\n"),
        },
    })
}

fn again(
    request: &RequestContext,
    error: IamError,
    urn: Option<String>,
    form: GroupForm,
) -> HandlerResult {
    let error = PageError::from(error);
    let Some(text) = error.validation_message() else { return Err(error) };
    let mut layout = request.layout(SECTION);
    layout.banner = Some(Banner::danger(text));
    let path = urn.as_deref().map_or("/permissions-groups/create".to_owned(), path);
    let page = PageResponse::render(&FormPage { layout, urn, path, read_only: false, form })?;
    Ok(page.with_status(error.status()))
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let form = GroupForm::read(&request);
    match request.iam.create_permissions_group(&request.context()?, Ok(form.input())).await {
        Ok(_) => Ok(PageResponse::redirect("/permissions-groups?told=told-group-created")),
        Err(error) => again(&request, error, None, form),
    }
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let (urn, form) = (request.parameter(0), GroupForm::read(&request));
    let edited =
        request.iam.edit_permissions_group(&request.context()?, urn, Ok(form.input())).await;
    match edited {
        Ok(group) => Ok(PageResponse::redirect(format!("{}?told=told-edited", path(&group.urn)))),
        Err(error) => again(&request, error, Some(urn.to_owned()), form),
    }
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_permissions_group(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/permissions-groups?told=told-group-deleted"))
}
