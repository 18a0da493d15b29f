//! Groups of users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Group, GroupInput, Role};

use super::moment;
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Frame, Section};
use crate::refusal::Refusal;
use crate::visit::Visit;

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
    frame: Frame,
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
    frame: Frame,
    is_new: bool,
    name: String,
    description: String,
    chosen: Role,
    roles: &'static [(&'static str, Role, &'static str)],
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let groups = visit.iam.groups(&visit.context()?).await?;
    let row = |one: Group| Row {
        name: one.name,
        built_in: one.built_in,
        role: role_text(one.role),
        description: one.description.unwrap_or_default(),
        created: moment(one.created_at),
        changed: moment(one.updated_at),
    };
    let groups = groups.into_iter().map(row).collect();
    Answer::page(&ListPage { frame: visit.told(SECTION), groups })
}

fn form(frame: Frame, is_new: bool, typed: GroupInput) -> Answered {
    Answer::page(&FormPage {
        frame,
        is_new,
        name: typed.name,
        description: typed.description.unwrap_or_default(),
        chosen: typed.role.unwrap_or_default(),
        roles: &ROLES,
    })
}

fn typed(visit: &Visit, name: &str) -> GroupInput {
    let role = ROLES.iter().find(|(id, _, _)| *id == visit.form.get("role"));
    GroupInput {
        name: name.to_owned(),
        description: Some(visit.form.get("description").to_owned()),
        role: role.map(|(_, role, _)| *role),
    }
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    form(visit.frame(SECTION), true, GroupInput::default())
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let input = typed(&visit, visit.form.get("name"));
    match visit.iam.create_group(&context, Ok(input.clone())).await {
        Ok(_) => Ok(Answer::go("/groups?told=told-group-created")),
        Err(error) => visit.again(error.into(), SECTION, |frame| form(frame, true, input)),
    }
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let group = visit.iam.group(&visit.context()?, visit.parameter(0)).await?;
    let Group { name, description, role, .. } = group;
    let shown = GroupInput { name, description, role: Some(role) };
    form(visit.told(SECTION), false, shown)
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let name = visit.parameter(0);
    let input = typed(&visit, name);
    match visit.iam.edit_group(&context, name, Ok(input.clone())).await {
        Ok(_) => Ok(Answer::go(format!("/groups/{}?told=told-edited", encoded(name)))),
        Err(error) => visit.again(error.into(), SECTION, |frame| form(frame, false, input)),
    }
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let name = visit.parameter(0);
    match visit.iam.delete_group(&context, name).await {
        Ok(()) => Ok(Answer::go("/groups?told=told-group-deleted")),
        Err(error) => {
            let refusal = Refusal::from(error);
            if refusal.about_input().is_none() {
                return Err(refusal);
            }
            let group = visit.iam.group(&context, name).await?;
            let Group { name, description, role, .. } = group;
            let shown = GroupInput { name, description, role: Some(role) };
            visit.again(refusal, SECTION, |frame| form(frame, false, shown))
        }
    }
}
