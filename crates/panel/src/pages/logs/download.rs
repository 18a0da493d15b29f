//! Download of a log.

use std::sync::Arc;

use gatewright_iam::{Event, Instant, Line};
use serde_json::{Value, json};

use super::entries::{Entries, entries};
use super::log::{Log, read_filter};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Maximum number of lines of a file.
const MAX_LINES: usize = 100_000;

/// Maximum number of lines that are read at once.
const MAX_BATCH: usize = 10_000;

/// Offers all lines that match the filter as a file of JSON lines.
pub(super) async fn show(request: Arc<RequestContext>, log: Log) -> HandlerResult {
    let context = request.context()?;
    let filter = read_filter(&request.query);
    let mut text = String::new();
    let (mut before, mut left) = (None, MAX_LINES);
    while left > 0 {
        let place = (before, left.min(MAX_BATCH));
        let (found, older) = entries(&request, &context, log, &filter, place).await?;
        let lines: Vec<Value> = match found {
            Entries::Events(events) => events.iter().map(event).collect(),
            Entries::Lines(lines) => lines.iter().map(line).collect::<Result<_, _>>()?,
        };
        left = left.saturating_sub(lines.len());
        for line in lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        before = older;
        if before.is_none() {
            break;
        }
    }
    PageResponse::download(log.file_name(), text)
}

/// Converts a line of the activity log to JSON as it is stored, with the instant in RFC 3339.
fn line(line: &Line) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(line)?;
    if let Some(at) = value.get_mut("at") {
        *at = at.as_i64().map(|at| Instant::from_micros(at).to_string()).into();
    }
    Ok(value)
}

fn event(event: &Event) -> Value {
    json!({
        "at": event.at.to_string(),
        "revision": event.revision,
        "who": event.who,
        "what": format!("{} {}", event.subject.as_str(), event.act()),
        "on": event.id,
        "name": event.name,
        "ip": event.ip,
        "queryId": event.query_id,
        "before": event.before,
        "after": event.after,
    })
}
