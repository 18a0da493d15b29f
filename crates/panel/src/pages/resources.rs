//! Resources and their tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Context, NewResource, PageRequest, Resource, ResourceFilter, is_system_tag};

use super::policies::lines;
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const SECTION: Section = Section::Resources;

const COLUMNS: [&str; 2] = ["name", "type"];

#[derive(Template)]
#[template(path = "resources/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
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
    layout: Layout,
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
    layout: Layout,
    urn: String,
    name: String,
    tags: String,
}

#[derive(Template)]
#[template(path = "resources/tags.html")]
struct TagsPage {
    layout: Layout,
    table: TablePage<TagRow>,
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
async fn all(request: &RequestContext, context: &Context) -> Result<Vec<Resource>, PageError> {
    let mut resources = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = PageRequest::new(Some(PageRequest::MAX_SIZE), cursor.as_deref(), "resources")?;
        let filter = ResourceFilter::default();
        let page = request.iam.resources(context, Ok(filter), Ok(page)).await?;
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

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let (kind, tag) = (request.query.get("type").to_owned(), request.query.get("tag").to_owned());
    let mut resources = all(&request, &context).await?;
    let mut types: Vec<String> =
        resources.iter().map(|one| one.urn.resource_type().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    resources.retain(|one| {
        (kind.is_empty() || one.urn.resource_type() == kind)
            && (tag.is_empty() || has_tag(one, &tag))
            && query.matches(&[one.urn.urn(), &one.display_name])
    });
    match query.sort.as_str() {
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
    let table = query.paginate(resources).map(row);
    let rest = format!("&type={}&tag={}", encoded(&kind), encoded(&tag));
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        table,
        types,
        kind,
        tag,
        rest,
    })
}

pub(crate) async fn tags(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &["tag", "resources"]);
    let system = request.query.get("system") == "1";
    let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for resource in all(&request, &context).await? {
        for (key, value) in &resource.tags {
            let is_system = is_system_tag(key);
            if system || !is_system {
                *counts.entry((format!("{key}:{value}"), is_system)).or_default() += 1;
            }
        }
    }
    let rows = counts.into_iter().filter(|((tag, _), _)| query.matches(&[tag]));
    let mut rows: Vec<TagRow> =
        rows.map(|((tag, system), resources)| TagRow { tag, system, resources }).collect();
    if query.sort == "resources" {
        rows.sort_by_key(|row| row.resources);
    }
    let rest = if system { "&system=1" } else { "" };
    PageResponse::render(&TagsPage {
        layout: request.layout_with_flash(SECTION),
        table: query.paginate(rows),
        system,
        rest,
    })
}

fn shown(layout: Layout, resource: Resource, (key, value): (String, String)) -> HandlerResult {
    let tags = resource.tags.into_iter();
    PageResponse::render(&DetailsPage {
        layout,
        path: path(resource.urn.urn()),
        urn: resource.urn.urn().to_owned(),
        name: resource.display_name,
        kind: resource.urn.resource_type().to_owned(),
        owner: resource.owner,
        tags: tags
            .map(|(key, value)| {
                let is_system = is_system_tag(&key);
                (key, value, is_system)
            })
            .collect(),
        key,
        value,
    })
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let resource = request.iam.resource(&request.context()?, request.parameter(0)).await?;
    shown(request.layout_with_flash(SECTION), resource, (String::new(), String::new()))
}

pub(crate) async fn add_tag(request: Arc<RequestContext>) -> HandlerResult {
    let (context, urn) = (request.context()?, request.parameter(0));
    let tag = (request.form.get("key").to_owned(), request.form.get("value").to_owned());
    match request.iam.add_tag(&context, urn, Ok(tag.clone())).await {
        Ok(_) => Ok(PageResponse::redirect(format!("{}?told=told-edited", path(urn)))),
        Err(error) => {
            let error = PageError::from(error);
            let Some(text) = error.validation_message() else { return Err(error) };
            let resource = request.iam.resource(&context, urn).await?;
            let mut layout = request.layout(SECTION);
            layout.banner = Some(Banner::danger(text));
            Ok(shown(layout, resource, tag)?.with_status(error.status()))
        }
    }
}

pub(crate) async fn remove_tag(request: Arc<RequestContext>) -> HandlerResult {
    let urn = request.parameter(0);
    request.iam.remove_tag(&request.context()?, urn, request.form.get("key")).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-edited", path(urn))))
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    let region = request.iam.settings().region;
    let (urn, layout) = (format!("urn:v1:{region}:resource:"), request.layout(SECTION));
    PageResponse::render(&CreatePage { layout, urn, name: String::new(), tags: String::new() })
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let text = |name| request.form.get(name).to_owned();
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
    match request.iam.create_resource(&context, Ok(input)).await {
        Ok(_) => Ok(PageResponse::redirect("/resources?told=told-resource-created")),
        Err(error) => request.again(error.into(), SECTION, |layout| {
            PageResponse::render(&CreatePage { layout, urn, name, tags })
        }),
    }
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_resource(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/resources?told=told-resource-deleted"))
}
