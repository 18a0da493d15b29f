//! Table of the service accounts.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Client, ClientId, Instant};

use crate::error::none_if_forbidden;
use crate::format::{minute, minute_or_none};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 4] = ["name", "description", "created", "used"];

/// Filter of the table by use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UseFilter {
    All,
    Never,
    Unused,
}

impl UseFilter {
    fn parse(text: &str) -> Self {
        match text {
            "never" => Self::Never,
            "unused" => Self::Unused,
            _ => Self::All,
        }
    }

    fn value(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Never => "never",
            Self::Unused => "unused",
        }
    }

    /// Checks whether a service account that was last used at an instant is displayed.
    fn matches(self, client: &Client, used_at: Option<Instant>, now: Instant) -> bool {
        match self {
            Self::All => true,
            Self::Never => used_at.is_none(),
            Self::Unused => Client::is_unused(client.created_at, used_at, now),
        }
    }
}

#[derive(Template)]
#[template(path = "service_accounts/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
    /// True if there is any service account at all.
    any: bool,
    only: &'static str,
    /// Filter, for the query of links to other pages of the table.
    filter_query: String,
}

struct Row {
    id: ClientId,
    name: String,
    description: String,
    created: String,
    used: String,
    enabled: bool,
    /// Number of policies that name it; none if the reader has no permission, or if it has no
    /// identity.
    policies: Option<usize>,
}

fn sort(clients: &mut [Client], column: &str, used: &HashMap<String, Instant>) {
    match column {
        "name" => clients.sort_by_cached_key(|one| one.name.to_lowercase()),
        "description" => clients.sort_by_cached_key(|one| one.description.to_lowercase()),
        "used" => clients.sort_by_key(|one| used.get(one.id.as_str())),
        _ => clients.sort_by_key(|one| one.created_at),
    }
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let filter = UseFilter::parse(request.query.get("only"));
    let mut clients = request.iam.clients(&context).await?;
    let used = request.iam.clients_used(&context).await?;
    let any = !clients.is_empty();
    clients.retain(|one| {
        filter.matches(one, used.get(one.id.as_str()).copied(), request.now)
            && query.matches(&[&one.name, &one.description, one.id.as_str()])
    });
    sort(&mut clients, &query.sort, &used);
    let page = query.paginate(clients);
    let urns: Vec<&str> = page.rows.iter().filter_map(|one| one.identity.as_deref()).collect();
    let counts = none_if_forbidden(request.iam.policy_counts(&context, &urns).await)?;
    let mut counts = counts.into_iter().flatten();
    let row = |one: Client| Row {
        used: minute_or_none(used.get(one.id.as_str()).copied()),
        policies: one.identity.as_ref().and_then(|_| counts.next()),
        id: one.id,
        enabled: one.enabled,
        name: one.name,
        description: one.description,
        created: minute(one.created_at),
    };
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(Section::ServiceAccounts),
        table: page.map(row),
        any,
        only: filter.value(),
        filter_query: format!("&only={}", filter.value()),
    })
}
