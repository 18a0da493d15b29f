//! Groups of users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Group, GroupInput, GroupName, Role};

use super::roles::{RoleOption, parse_role, role_options, role_text};
use crate::fields::encoded;
use crate::form::{Form, InputError};
use crate::format::minute;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/groups", list),
        Route::page("/groups/create", create_form),
        Route::form("/groups/create", create),
        Route::page("/groups/{name}", details),
        Route::form("/groups/{name}", edit),
        Route::form("/groups/{name}/delete", delete).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    layout: Layout,
    groups: Vec<Row>,
}

struct Row {
    name: GroupName,
    built_in: bool,
    role: &'static str,
    description: String,
    created: String,
    changed: String,
}

impl From<Group> for Row {
    fn from(one: Group) -> Self {
        Self {
            name: one.name,
            built_in: one.built_in,
            role: role_text(one.role),
            description: one.description.unwrap_or_default(),
            created: minute(one.created_at),
            changed: minute(one.updated_at),
        }
    }
}

#[derive(Template)]
#[template(path = "groups/form.html")]
struct FormPage {
    layout: Layout,
    is_new: bool,
    name: String,
    description: String,
    chosen: Role,
    roles: [RoleOption; 4],
}

/// Form of a group.
enum GroupForm {
    New(GroupInput),
    Existing(GroupInput),
}

impl GroupForm {
    fn of(group: Group) -> Self {
        let Group { name, description, role, .. } = group;
        Self::Existing(GroupInput { name: name.to_string(), description, role: Some(role) })
    }
}

impl Form for GroupForm {
    const SECTION: Section = Section::Groups;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        let is_new = matches!(self, Self::New(_));
        let (Self::New(input) | Self::Existing(input)) = self;
        PageResponse::render(&FormPage {
            layout,
            is_new,
            name: input.name,
            description: input.description.unwrap_or_default(),
            chosen: input.role.unwrap_or_default(),
            roles: role_options(),
        })
    }
}

fn input(request: &RequestContext, name: &str) -> GroupInput {
    GroupInput {
        name: name.to_owned(),
        description: Some(request.form.get("description").to_owned()),
        role: parse_role(request.form.get("role")),
    }
}

async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let groups = request.iam.groups(&request.context()?).await?;
    let groups = groups.into_iter().map(Row::from).collect();
    let layout = request.layout_with_flash(GroupForm::SECTION);
    PageResponse::render(&ListPage { layout, groups })
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    GroupForm::New(GroupInput::default()).show(&request).await
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let input = input(&request, request.form.get("name"));
    match request.iam.create_group(&context, Ok(input.clone())).await {
        Ok(_) => PageResponse::redirect("/groups?flash=flash-group-created"),
        Err(error) => GroupForm::New(input).reject(&request, InputError::of(error)?).await,
    }
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let group =
        request.iam.group(&request.context()?, &GroupName::new(request.parameter("name")?)).await?;
    GroupForm::of(group).show_with_flash(&request).await
}

async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let name = &GroupName::new(request.parameter("name")?);
    let input = input(&request, name.as_str());
    match request.iam.edit_group(&context, name, Ok(input.clone())).await {
        Ok(_) => {
            PageResponse::redirect(format!("/groups/{}?flash=flash-edited", encoded(name.as_str())))
        }
        Err(error) => GroupForm::Existing(input).reject(&request, InputError::of(error)?).await,
    }
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let name = &GroupName::new(request.parameter("name")?);
    match request.iam.delete_group(&context, name).await {
        Ok(()) => PageResponse::redirect("/groups?flash=flash-group-deleted"),
        Err(error) => {
            let error = InputError::of(error)?;
            let group = request.iam.group(&context, name).await?;
            GroupForm::of(group).reject(&request, error).await
        }
    }
}
