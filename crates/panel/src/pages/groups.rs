//! Groups of users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Group, GroupInput, Role};

use super::format_minute;
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

const SECTION: Section = Section::Groups;

/// Each role with what it is called in a form and in a text.
const ROLES: [(&str, Role, &str); 4] = [
    ("none", Role::None, "role-none"),
    ("unprivileged", Role::Unprivileged, "role-unprivileged"),
    ("regular", Role::Regular, "role-regular"),
    ("admin", Role::Admin, "role-admin"),
];

/// What a role is called.
pub(super) fn role_text(role: Role) -> &'static str {
    ROLES.iter().find(|(_, one, _)| *one == role).map_or("role-none", |(_, _, text)| text)
}

#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    layout: Layout,
    groups: Vec<Row>,
}

struct Row {
    name: String,
    built_in: bool,
    role: &'static str,
    description: String,
    created: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "groups/form.html")]
struct FormPage {
    layout: Layout,
    is_new: bool,
    name: String,
    description: String,
    chosen: Role,
    roles: &'static [(&'static str, Role, &'static str)],
}

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let groups = request.iam.groups(&request.context()?).await?;
    let row = |one: Group| Row {
        name: one.name,
        built_in: one.built_in,
        role: role_text(one.role),
        description: one.description.unwrap_or_default(),
        created: format_minute(one.created_at),
        changed: format_minute(one.updated_at),
    };
    let groups = groups.into_iter().map(row).collect();
    PageResponse::render(&ListPage { layout: request.layout_with_flash(SECTION), groups })
}

fn form(layout: Layout, is_new: bool, typed: GroupInput) -> HandlerResult {
    PageResponse::render(&FormPage {
        layout,
        is_new,
        name: typed.name,
        description: typed.description.unwrap_or_default(),
        chosen: typed.role.unwrap_or_default(),
        roles: &ROLES,
    })
}

fn typed(request: &RequestContext, name: &str) -> GroupInput {
    let role = ROLES.iter().find(|(id, _, _)| *id == request.form.get("role"));
    GroupInput {
        name: name.to_owned(),
        description: Some(request.form.get("description").to_owned()),
        role: role.map(|(_, role, _)| *role),
    }
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    form(request.layout(SECTION), true, GroupInput::default())
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let input = typed(&request, request.form.get("name"));
    match request.iam.create_group(&context, Ok(input.clone())).await {
        Ok(_) => Ok(PageResponse::redirect("/groups?told=told-group-created")),
        Err(error) => request.again(error.into(), SECTION, |layout| form(layout, true, input)),
    }
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let group = request.iam.group(&request.context()?, request.parameter(0)).await?;
    let Group { name, description, role, .. } = group;
    let shown = GroupInput { name, description, role: Some(role) };
    form(request.layout_with_flash(SECTION), false, shown)
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let name = request.parameter(0);
    let input = typed(&request, name);
    match request.iam.edit_group(&context, name, Ok(input.clone())).await {
        Ok(_) => Ok(PageResponse::redirect(format!("/groups/{}?told=told-edited", encoded(name)))),
        Err(error) => request.again(error.into(), SECTION, |layout| form(layout, false, input)),
    }
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let name = request.parameter(0);
    match request.iam.delete_group(&context, name).await {
        Ok(()) => Ok(PageResponse::redirect("/groups?told=told-group-deleted")),
        Err(error) => {
            let error = PageError::from(error);
            if error.validation_message().is_none() {
                return Err(error);
            }
            let group = request.iam.group(&context, name).await?;
            let Group { name, description, role, .. } = group;
            let shown = GroupInput { name, description, role: Some(role) };
            request.again(error, SECTION, |layout| form(layout, false, shown))
        }
    }
}
