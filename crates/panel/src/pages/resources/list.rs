//! Table of the resources.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Context, PageRequest, Resource, ResourceFilter};

use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 2] = ["name", "type"];

#[derive(Template)]
#[template(path = "resources/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
    types: Vec<String>,
    resource_type: String,
    tag: String,
    /// Filters, for the query of links to other pages of the table.
    filter_query: String,
}

struct Row {
    path: String,
    urn: String,
    name: String,
    resource_type: String,
    /// Paths of the resources with the same tag, and the tag.
    tags: Vec<(String, String)>,
}

impl From<Resource> for Row {
    fn from(one: Resource) -> Self {
        let tags = one.tags.iter().map(|(key, value)| format!("{key}:{value}"));
        let tags = tags.map(|tag| (format!("/resources?tag={}", encoded(&tag)), tag)).collect();
        Self {
            path: format!("/resources/{}", encoded(one.urn.urn())),
            urn: one.urn.urn().to_owned(),
            resource_type: one.urn.resource_type().to_owned(),
            name: one.display_name,
            tags,
        }
    }
}

/// Returns all resources that the reader may see.
pub(super) async fn all_resources(
    request: &RequestContext,
    context: &Context,
) -> Result<Vec<Resource>, PageError> {
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

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let resource_type = request.query.get("type").to_owned();
    let tag = request.query.get("tag").to_owned();
    let mut resources = all_resources(&request, &context).await?;
    let mut types: Vec<String> =
        resources.iter().map(|one| one.urn.resource_type().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    resources.retain(|one| {
        (resource_type.is_empty() || one.urn.resource_type() == resource_type)
            && (tag.is_empty() || has_tag(one, &tag))
            && query.matches(&[one.urn.urn(), &one.display_name])
    });
    match query.sort.as_str() {
        "type" => resources.sort_by_cached_key(|one| one.urn.urn().to_owned()),
        _ => resources.sort_by_cached_key(|one| one.display_name.to_lowercase()),
    }
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(Section::Resources),
        table: query.paginate(resources).map(Row::from),
        types,
        filter_query: format!("&type={}&tag={}", encoded(&resource_type), encoded(&tag)),
        resource_type,
        tag,
    })
}
