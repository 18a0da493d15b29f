//! Page of a log.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use gatewright_iam::{Context, HourlyCounts, LogFilter};

use super::entries::{Entries, LogPosition, entries};
use super::log::{Log, filter_query, read_filter};
use super::row::Row;
use crate::error::{PageError, none_if_forbidden};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Maximum number of rows of a page.
const MAX_ROWS: usize = 50;

#[derive(Template)]
#[template(path = "logs/log.html")]
struct LogPage {
    layout: Layout,
    log: Log,
    rows: Vec<Row>,
    filter: LogFilter,
    /// Query of the older rows.
    older: Option<String>,
    /// Query of these rows.
    query: String,
    live: bool,
    days: i64,
    /// Number of lines of the last day that were dropped, as too many were waiting to be written.
    dropped: i64,
}

pub(super) async fn show(request: Arc<RequestContext>, log: Log) -> HandlerResult {
    let context = request.context()?;
    let filter = read_filter(&request.query);
    let before: Option<LogPosition> = request.query.get("before").parse().ok();
    let (found, older) = entries(&request, &context, log, &filter, (before, MAX_ROWS)).await?;
    let rows = match found {
        Entries::Events(events) => events.into_iter().map(Row::from).collect(),
        Entries::Lines(lines) => lines.into_iter().map(Row::from).collect(),
    };
    let query = filter_query(&filter);
    PageResponse::render(&LogPage {
        layout: request.layout(Section::Logs),
        log,
        rows,
        older: older.map(|older| format!("{query}&before={older}")),
        live: request.query.get("live") == "1" && before.is_none(),
        query,
        filter,
        days: i64::from(request.iam.settings().log_days),
        dropped: dropped(&request, &context, log).await?,
    })
}

/// Counts the lines that were dropped in the last day; the journal drops none.
async fn dropped(request: &RequestContext, context: &Context, log: Log) -> Result<i64, PageError> {
    if log == Log::Audit {
        return Ok(0);
    }
    let yesterday = request.now.saturating_sub(Duration::from_hours(24));
    let counts = none_if_forbidden(request.iam.hourly_counts(context, yesterday).await)?;
    Ok(counts.iter().flatten().map(|one: &HourlyCounts| one.left_out).sum())
}
