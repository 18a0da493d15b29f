//! Logs: what was changed, what was called, what was decided.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use gatewright_iam::{Event, HourlyCounts, Instant, Line, LogFilter, LogKind, Reason};
use serde_json::{Value, json};

use super::{allowed, instant, short_urn};
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

const SECTION: Section = Section::Logs;

/// So many lines are shown at once.
const SHOWN: usize = 50;

/// So many lines are in a file.
const IN_A_FILE: usize = 100_000;

/// Of one of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    Audit,
    Activity,
    Decisions,
}

impl Log {
    fn path(self) -> &'static str {
        match self {
            Self::Audit => "/logs/audit",
            Self::Activity => "/logs/activity",
            Self::Decisions => "/logs/decisions",
        }
    }

    fn kind(self) -> Option<LogKind> {
        match self {
            Self::Audit => None,
            Self::Activity => Some(LogKind::Call),
            Self::Decisions => Some(LogKind::Decision),
        }
    }

    /// The key of the text that says what is in it.
    fn intro(self) -> &'static str {
        match self {
            Self::Audit => "logs-audit-intro",
            Self::Activity => "logs-activity-intro",
            Self::Decisions => "logs-decisions-intro",
        }
    }
}

#[derive(Template)]
#[template(path = "logs/log.html")]
struct LogPage {
    layout: Layout,
    log: Log,
    rows: Vec<Row>,
    /// What is filtered by.
    filter: LogFilter,
    /// The query of the lines before these.
    older: Option<String>,
    /// The query of these lines.
    query: String,
    live: bool,
    days: usize,
    /// How many lines were too many to be written down in the last day.
    left_out: usize,
}

struct Row {
    at: String,
    /// A URN, and the part of it that people know.
    who: String,
    who_short: String,
    what: String,
    on: String,
    on_short: String,
    /// Whether it was allowed; none where that is no question.
    allowed: Option<bool>,
    /// The key of the text that says why.
    reason: &'static str,
    /// The policy that decided.
    policy: Option<String>,
    status: String,
    ip: String,
    query_id: String,
    /// What it was and what it is, where it was changed.
    before: String,
    after: String,
}

pub(crate) async fn audit(request: Arc<RequestContext>) -> HandlerResult {
    show(&request, Log::Audit).await
}

pub(crate) async fn activity(request: Arc<RequestContext>) -> HandlerResult {
    show(&request, Log::Activity).await
}

pub(crate) async fn decisions(request: Arc<RequestContext>) -> HandlerResult {
    show(&request, Log::Decisions).await
}

pub(crate) async fn audit_file(request: Arc<RequestContext>) -> HandlerResult {
    file(&request, Log::Audit).await
}

pub(crate) async fn activity_file(request: Arc<RequestContext>) -> HandlerResult {
    file(&request, Log::Activity).await
}

pub(crate) async fn decisions_file(request: Arc<RequestContext>) -> HandlerResult {
    file(&request, Log::Decisions).await
}

fn filter(request: &RequestContext) -> LogFilter {
    let text = |name| request.query.get(name).to_owned();
    LogFilter {
        who: text("who"),
        what: text("what"),
        on: text("on"),
        allowed: match request.query.get("outcome") {
            "allowed" => Some(true),
            "refused" => Some(false),
            _ => None,
        },
    }
}

fn query(filter: &LogFilter) -> String {
    let outcome = match filter.allowed {
        None => "",
        Some(true) => "allowed",
        Some(false) => "refused",
    };
    let LogFilter { who, what, on, .. } = filter;
    let [who, what, on] = [who, what, on].map(|text| encoded(text));
    format!("?who={who}&what={what}&on={on}&outcome={outcome}")
}

async fn show(request: &RequestContext, log: Log) -> HandlerResult {
    let context = request.context()?;
    let filter = filter(request);
    let before: Option<i64> = request.query.get("before").parse().ok();
    let (rows, older) = match log.kind() {
        None => {
            let found = request.iam.audit(&context, &filter, revision_place(before, SHOWN)).await?;
            (found.events.into_iter().map(Row::of_event).collect(), found.older)
        }
        Some(kind) => {
            let found =
                request.iam.log(&context, kind, &filter, instant_place(before, SHOWN)).await?;
            let rows: Vec<_> = found.lines.into_iter().map(Row::of_line).collect();
            (rows, found.older.map(Instant::micros))
        }
    };
    let day = request.now.saturating_sub(Duration::from_hours(24));
    let hourly_counts = match log {
        Log::Audit => None,
        _ => allowed(request.iam.hourly_counts(&context, day).await)?,
    };
    let left_out: i64 = hourly_counts.iter().flatten().map(|one: &HourlyCounts| one.left_out).sum();
    let query = query(&filter);
    PageResponse::render(&LogPage {
        layout: request.layout(SECTION),
        log,
        rows,
        older: older.map(|older| format!("{query}&before={older}")),
        live: request.query.get("live") == "1" && before.is_none(),
        query,
        filter,
        days: usize::try_from(request.iam.settings().log_days).unwrap_or_default(),
        left_out: usize::try_from(left_out).unwrap_or_default(),
    })
}

/// Where to go on in the journal: before a revision, or at its end.
fn revision_place(before: Option<i64>, most: usize) -> (i64, usize) {
    (before.unwrap_or(i64::MAX), most)
}

/// Where to go on in a log: before an instant, or at its end.
fn instant_place(before: Option<i64>, most: usize) -> (Instant, usize) {
    (before.map_or(Instant::MAX, Instant::from_micros), most)
}

/// All that fits the filter, one JSON object a line.
async fn file(request: &RequestContext, log: Log) -> HandlerResult {
    let context = request.context()?;
    let filter = filter(request);
    let mut text = String::new();
    let (mut before, mut whole) = (None, false);
    let mut left = IN_A_FILE;
    while !whole && left > 0 {
        let most = left.min(10_000);
        let lines: Vec<Value> = match log.kind() {
            None => {
                let found =
                    request.iam.audit(&context, &filter, revision_place(before, most)).await?;
                before = found.older;
                found.events.iter().map(event).collect()
            }
            Some(kind) => {
                let found =
                    request.iam.log(&context, kind, &filter, instant_place(before, most)).await?;
                before = found.older.map(Instant::micros);
                found.lines.iter().filter_map(|line| serde_json::to_value(line).ok()).collect()
            }
        };
        whole = before.is_none();
        left = left.saturating_sub(lines.len());
        for mut line in lines {
            if let Some(at) = line.get_mut("at") {
                *at = at.as_i64().map(|at| Instant::from_micros(at).to_string()).into();
            }
            text.push_str(&line.to_string());
            text.push('\n');
        }
    }
    let name = log.path().rsplit('/').next().unwrap_or_default();
    Ok(PageResponse::download(&format!("{name}.jsonl"), text))
}

fn event(event: &Event) -> Value {
    json!({
        "at": event.at,
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

fn pretty(value: Option<&Value>) -> String {
    value.and_then(|value| serde_json::to_string_pretty(value).ok()).unwrap_or_default()
}

/// The key of the text that says why a decision is what it is.
pub(super) fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Root => "reason-root",
        Reason::Allowed => "reason-allowed",
        Reason::PassedOn => "reason-passed-on",
        Reason::OutOfScope => "reason-out-of-scope",
        Reason::WrongType => "reason-wrong-type",
        Reason::Denied => "reason-denied",
        Reason::NotAllowed => "reason-not-allowed",
    }
}

impl Row {
    fn of_line(line: Line) -> Self {
        let on = line.on.unwrap_or_default();
        Self {
            at: instant(line.at),
            who_short: short_urn(&line.who).to_owned(),
            who: line.who,
            what: line.what,
            on_short: short_urn(&on).to_owned(),
            on,
            allowed: Some(line.allowed),
            reason: line.reason.map_or("", reason_text),
            policy: line.policy.map(|id| id.to_string()),
            status: line.status.map(|status| status.to_string()).unwrap_or_default(),
            ip: line.ip.unwrap_or_default(),
            query_id: line.query_id,
            before: String::new(),
            after: String::new(),
        }
    }

    fn of_event(event: Event) -> Self {
        Self {
            at: instant(event.at),
            who_short: short_urn(&event.who).to_owned(),
            what: format!("{} {}", event.subject.as_str(), event.act()),
            on_short: event.name,
            on: event.id,
            allowed: None,
            reason: "",
            policy: None,
            status: String::new(),
            ip: event.ip.unwrap_or_default(),
            query_id: event.query_id,
            before: pretty(event.before.as_ref()),
            after: pretty(event.after.as_ref()),
            who: event.who,
        }
    }
}

/// The first of the logs.
pub(crate) async fn first(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    Ok::<_, PageError>(PageResponse::redirect(Log::Audit.path()))
}
