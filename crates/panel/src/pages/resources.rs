//! Resources and their tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Context, NewResource, PageRequest, Resource, ResourceFilter};

use super::policies::lines;
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Banner, Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::Resources;

const COLUMNS: [&str; 2] = ["name", "type"];

/// Tags that begin so are the system's.
const SYSTEM: &str = "ovh:";

#[derive(Template)]
#[template(path = "resources/list.html")]
struct ListPage {
    frame: Frame,
    table: Cut<Row>,
    types: Vec<String>,
    kind: String,
    tag: String,
    /// What a link to another page of the table must say of these.
    rest: String,
}

struct Row {
    path: String,
    urn: String,
    name: String,
    kind: String,
    tags: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "resources/details.html")]
struct DetailsPage {
    frame: Frame,
    path: String,
    urn: String,
    name: String,
    kind: String,
    owner: String,
    /// With whether the system's.
    tags: Vec<(String, String, bool)>,
    key: String,
    value: String,
}

#[derive(Template)]
#[template(path = "resources/create.html")]
struct CreatePage {
    frame: Frame,
    urn: String,
    name: String,
    tags: String,
}

#[derive(Template)]
#[template(path = "resources/tags.html")]
struct TagsPage {
    frame: Frame,
    table: Cut<TagRow>,
    system: bool,
    /// What a link to another page of the table must say of that.
    rest: &'static str,
}

struct TagRow {
    tag: String,
    system: bool,
    resources: usize,
}

fn path(urn: &str) -> String {
    format!("/resources/{}", encoded(urn))
}

/// All resources that the reader may see.
async fn all(visit: &Visit, context: &Context) -> Result<Vec<Resource>, Refusal> {
    let mut resources = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = PageRequest::new(Some(PageRequest::MAX_SIZE), cursor.as_deref(), "resources")?;
        let filter = ResourceFilter::default();
        let page = visit.iam.resources(context, Ok(filter), Ok(page)).await?;
        resources.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(resources);
        }
    }
}

fn has_tag(resource: &Resource, tag: &str) -> bool {
    resource.tags.iter().any(|(key, value)| format!("{key}:{value}") == tag)
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let (kind, tag) = (visit.query.get("type").to_owned(), visit.query.get("tag").to_owned());
    let mut resources = all(&visit, &context).await?;
    let mut types: Vec<String> =
        resources.iter().map(|one| one.urn.resource_type().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    resources.retain(|one| {
        (kind.is_empty() || one.urn.resource_type() == kind)
            && (tag.is_empty() || has_tag(one, &tag))
            && wanted.fits(&[one.urn.urn(), &one.display_name])
    });
    match wanted.sort.as_str() {
        "type" => resources.sort_by_cached_key(|one| one.urn.urn().to_owned()),
        _ => resources.sort_by_cached_key(|one| one.display_name.to_lowercase()),
    }
    let row = |one: Resource| Row {
        path: path(one.urn.urn()),
        urn: one.urn.urn().to_owned(),
        kind: one.urn.resource_type().to_owned(),
        name: one.display_name,
        tags: one
            .tags
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .map(|tag| (format!("/resources?tag={}", encoded(&tag)), tag))
            .collect(),
    };
    let table = wanted.cut(resources).map(row);
    let rest = format!("&type={}&tag={}", encoded(&kind), encoded(&tag));
    Answer::page(&ListPage { frame: visit.told(SECTION), table, types, kind, tag, rest })
}

pub(crate) async fn tags(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &["tag", "resources"]);
    let system = visit.query.get("system") == "1";
    let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for resource in all(&visit, &context).await? {
        for (key, value) in &resource.tags {
            let is_system = key.starts_with(SYSTEM);
            if system || !is_system {
                *counts.entry((format!("{key}:{value}"), is_system)).or_default() += 1;
            }
        }
    }
    let rows = counts.into_iter().filter(|((tag, _), _)| wanted.fits(&[tag]));
    let mut rows: Vec<TagRow> =
        rows.map(|((tag, system), resources)| TagRow { tag, system, resources }).collect();
    if wanted.sort == "resources" {
        rows.sort_by_key(|row| row.resources);
    }
    let rest = if system { "&system=1" } else { "" };
    Answer::page(&TagsPage { frame: visit.told(SECTION), table: wanted.cut(rows), system, rest })
}

fn shown(frame: Frame, resource: Resource, (key, value): (String, String)) -> Answered {
    let tags = resource.tags.into_iter();
    Answer::page(&DetailsPage {
        frame,
        path: path(resource.urn.urn()),
        urn: resource.urn.urn().to_owned(),
        name: resource.display_name,
        kind: resource.urn.resource_type().to_owned(),
        owner: resource.owner,
        tags: tags
            .map(|(key, value)| {
                let is_system = key.starts_with(SYSTEM);
                (key, value, is_system)
            })
            .collect(),
        key,
        value,
    })
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let resource = visit.iam.resource(&visit.context()?, visit.parameter(0)).await?;
    shown(visit.told(SECTION), resource, (String::new(), String::new()))
}

pub(crate) async fn add_tag(visit: Arc<Visit>) -> Answered {
    let (context, urn) = (visit.context()?, visit.parameter(0));
    let tag = (visit.form.get("key").to_owned(), visit.form.get("value").to_owned());
    match visit.iam.add_tag(&context, urn, Ok(tag.clone())).await {
        Ok(_) => Ok(Answer::go(format!("{}?told=told-edited", path(urn)))),
        Err(error) => {
            let refusal = Refusal::from(error);
            let Some(text) = refusal.about_input() else { return Err(refusal) };
            let resource = visit.iam.resource(&context, urn).await?;
            let mut frame = visit.frame(SECTION);
            frame.banner = Some(Banner::danger(text));
            Ok(shown(frame, resource, tag)?.with_status(refusal.status()))
        }
    }
}

pub(crate) async fn remove_tag(visit: Arc<Visit>) -> Answered {
    let urn = visit.parameter(0);
    visit.iam.remove_tag(&visit.context()?, urn, visit.form.get("key")).await?;
    Ok(Answer::go(format!("{}?told=told-edited", path(urn))))
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    let region = visit.iam.settings().region;
    let (urn, frame) = (format!("urn:v1:{region}:resource:"), visit.frame(SECTION));
    Answer::page(&CreatePage { frame, urn, name: String::new(), tags: String::new() })
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let text = |name| visit.form.get(name).to_owned();
    let (urn, name, tags) = (text("urn"), text("name"), text("tags"));
    let pairs = lines(&tags).into_iter().map(|line| match line.split_once(['=', ':']) {
        Some((key, value)) => (key.trim().to_owned(), value.trim().to_owned()),
        None => (line, String::new()),
    });
    let input = NewResource {
        urn: urn.clone(),
        display_name: Some(name.clone()).filter(|name| !name.is_empty()),
        owner: None,
        tags: pairs.collect(),
    };
    match visit.iam.create_resource(&context, Ok(input)).await {
        Ok(_) => Ok(Answer::go("/resources?told=told-resource-created")),
        Err(error) => visit.again(error.into(), SECTION, |frame| {
            Answer::page(&CreatePage { frame, urn, name, tags })
        }),
    }
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_resource(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/resources?told=told-resource-deleted"))
}
