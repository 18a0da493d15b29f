//! Resource groups: resources that policies name together.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    IamError, Member, PageRequest, ResourceGroup, ResourceGroupInput, resource_group_urn,
};
use uuid::Uuid;

use super::moment;
use super::policies::{add, lines};
use crate::answer::{Answer, Answered};
use crate::frame::{Banner, Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::Policies;

const COLUMNS: [&str; 2] = ["name", "created"];

#[derive(Template)]
#[template(path = "resource_groups/list.html")]
struct ListPage {
    frame: Frame,
    table: Cut<Row>,
}

struct Row {
    id: Uuid,
    name: String,
    resources: usize,
    read_only: bool,
    created: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "resource_groups/form.html")]
struct FormPage {
    frame: Frame,
    /// The group that is changed; none when one is made.
    id: Option<Uuid>,
    read_only: bool,
    urn: String,
    name: String,
    /// One URN a line.
    resources: String,
    choices: Vec<super::policies::Choice>,
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let page = PageRequest::new(Some(PageRequest::MAX_SIZE), None, "resource groups")?;
    let mut groups = visit.iam.resource_groups(&context, Ok(page)).await?.items;
    groups.retain(|one| wanted.fits(&[&one.name]));
    if wanted.sort == "name" {
        groups.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let row = |one: ResourceGroup| Row {
        id: one.id,
        name: one.name,
        resources: one.resources.len(),
        read_only: one.read_only,
        created: moment(one.created_at),
        changed: one.updated_at.map_or("--".to_owned(), moment),
    };
    Answer::page(&ListPage { frame: visit.told(SECTION), table: wanted.cut(groups).map(row) })
}

async fn form(
    visit: &Visit,
    frame: Frame,
    group: Option<(Uuid, bool)>,
    (name, resources): (String, String),
) -> Answered {
    let region = visit.iam.settings().region;
    let id = group.map(|(id, _)| id);
    Answer::page(&FormPage {
        frame,
        id,
        read_only: group.is_some_and(|(_, read_only)| read_only),
        urn: id.map(|id| resource_group_urn(region, id)).unwrap_or_default(),
        name,
        resources,
        choices: super::policies::known_resources(visit, &visit.context()?).await?,
    })
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    form(&visit, visit.frame(SECTION), None, (String::new(), String::new())).await
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let group = visit.iam.resource_group(&visit.context()?, id(&visit)).await?;
    let shown = Some((group.id, group.read_only));
    form(&visit, visit.told(SECTION), shown, (group.name, group.resources.join("\n"))).await
}

fn id(visit: &Visit) -> Result<Uuid, IamError> {
    Uuid::parse_str(visit.parameter(0)).map_err(|_| IamError::NotFound)
}

/// What was typed, with what was chosen from the list.
fn typed(visit: &Visit) -> (String, String) {
    let mut resources = visit.form.get("resources").to_owned();
    add(&mut resources, visit.form.get("resource"));
    (visit.form.get("name").to_owned(), resources)
}

fn input((name, resources): &(String, String)) -> ResourceGroupInput {
    let resources = lines(resources).into_iter().map(Member::Urn).collect();
    ResourceGroupInput { name: name.clone(), resources }
}

async fn again(
    visit: &Visit,
    error: IamError,
    id: Option<Uuid>,
    typed: (String, String),
) -> Answered {
    let refusal = Refusal::from(error);
    let Some(text) = refusal.about_input() else { return Err(refusal) };
    let mut frame = visit.frame(SECTION);
    frame.banner = Some(Banner::danger(text));
    let page = form(visit, frame, id.map(|id| (id, false)), typed).await?;
    Ok(page.with_status(refusal.status()))
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let typed = typed(&visit);
    if visit.form.get("do") == "add" {
        return form(&visit, visit.frame(SECTION), None, typed).await;
    }
    match visit.iam.create_resource_group(&context, Ok(input(&typed))).await {
        Ok(_) => Ok(Answer::go("/resource-groups?told=told-group-created")),
        Err(error) => again(&visit, error, None, typed).await,
    }
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let (id, typed) = (id(&visit)?, typed(&visit));
    if visit.form.get("do") == "add" {
        return form(&visit, visit.frame(SECTION), Some((id, false)), typed).await;
    }
    match visit.iam.edit_resource_group(&context, Ok(id), Ok(input(&typed))).await {
        Ok(_) => Ok(Answer::go(format!("/resource-groups/{id}?told=told-edited"))),
        Err(error) => again(&visit, error, Some(id), typed).await,
    }
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_resource_group(&visit.context()?, id(&visit)).await?;
    Ok(Answer::go("/resource-groups?told=told-group-deleted"))
}
