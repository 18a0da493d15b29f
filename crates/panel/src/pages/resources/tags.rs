//! Table of the tags of all resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::is_system_tag;

use super::list::all_resources;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 2] = ["tag", "resources"];

#[derive(Template)]
#[template(path = "resources/tags.html")]
struct TagsPage {
    layout: Layout,
    table: TablePage<TagRow>,
    /// True if system tags are displayed as well.
    system: bool,
    /// Filter, for the query of links to other pages of the table.
    filter_query: &'static str,
}

struct TagRow {
    tag: String,
    system: bool,
    resources: usize,
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let with_system = request.query.get("system") == "1";
    let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for resource in all_resources(&request, &context).await? {
        for (key, value) in &resource.tags {
            let is_system = is_system_tag(key);
            if with_system || !is_system {
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
    PageResponse::render(&TagsPage {
        layout: request.layout_with_flash(Section::Resources),
        table: query.paginate(rows),
        system: with_system,
        filter_query: if with_system { "&system=1" } else { "" },
    })
}
