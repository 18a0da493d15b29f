//! Permissions groups: permissions that policies name together.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{IamError, PageRequest, Permissions, PermissionsGroup, PermissionsGroupInput};

use super::moment;
use super::policies::lines;
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Banner, Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "owner"];

#[derive(Template)]
#[template(path = "permissions_groups/list.html")]
struct ListPage {
    frame: Frame,
    table: Cut<Row>,
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
    frame: Frame,
    /// The group that is changed; none when one is made.
    urn: Option<String>,
    path: String,
    read_only: bool,
    typed: Typed,
}

/// The fields as texts, lists one entry a line.
#[derive(Debug, Clone, Default)]
struct Typed {
    name: String,
    description: String,
    allow: String,
    except: String,
    deny: String,
}

impl Typed {
    fn read(visit: &Visit) -> Self {
        let text = |name| visit.form.get(name).to_owned();
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

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "permissions groups")?;
    let mut groups = visit.iam.permissions_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| wanted.fits(&[&one.name, &one.description]));
    match wanted.sort.as_str() {
        "owner" => groups.sort_by_cached_key(|one| (one.owner.clone(), one.name.to_lowercase())),
        _ => groups.sort_by_cached_key(|one| one.name.to_lowercase()),
    }
    let row = |one: PermissionsGroup| Row {
        path: path(&one.urn),
        name: one.name,
        owner: one.owner,
        description: one.description,
        allow: one.permissions.allow.len(),
        changed: moment(one.updated_at.unwrap_or(one.created_at)),
    };
    Answer::page(&ListPage { frame: visit.told(SECTION), table: wanted.cut(groups).map(row) })
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    let path = "/permissions-groups/create".to_owned();
    let (frame, typed) = (visit.frame(SECTION), Typed::default());
    Answer::page(&FormPage { frame, urn: None, path, read_only: false, typed })
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let group = visit.iam.permissions_group(&context, visit.parameter(0)).await?;
    Answer::page(&FormPage {
        frame: visit.told(SECTION),
        path: path(&group.urn),
        urn: Some(group.urn),
        read_only: group.owner != context.account(),
        typed: Typed {
            name: group.name,
            description: group.description,
            allow: group.permissions.allow.join("\n"),
            except: group.permissions.except.join("\n"),
            deny: group.permissions.deny.join("\n"),
        },
    })
}

fn again(visit: &Visit, error: IamError, urn: Option<String>, typed: Typed) -> Answered {
    let refusal = Refusal::from(error);
    let Some(text) = refusal.about_input() else { return Err(refusal) };
    let mut frame = visit.frame(SECTION);
    frame.banner = Some(Banner::danger(text));
    let path = urn.as_deref().map_or("/permissions-groups/create".to_owned(), path);
    let page = Answer::page(&FormPage { frame, urn, path, read_only: false, typed })?;
    Ok(page.with_status(refusal.status()))
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let typed = Typed::read(&visit);
    match visit.iam.create_permissions_group(&visit.context()?, Ok(typed.input())).await {
        Ok(_) => Ok(Answer::go("/permissions-groups?told=told-group-created")),
        Err(error) => again(&visit, error, None, typed),
    }
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let (urn, typed) = (visit.parameter(0), Typed::read(&visit));
    let edited = visit.iam.edit_permissions_group(&visit.context()?, urn, Ok(typed.input())).await;
    match edited {
        Ok(group) => Ok(Answer::go(format!("{}?told=told-edited", path(&group.urn)))),
        Err(error) => again(&visit, error, Some(urn.to_owned()), typed),
    }
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_permissions_group(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/permissions-groups?told=told-group-deleted"))
}
