//! Rows of a log.

use gatewright_iam::{Event, Line};
use serde_json::Value;

use crate::format::{second, short_urn};
use crate::pages::reasons::reason_text;

/// Row of a log.
pub(super) struct Row {
    pub(super) at: String,
    /// URN of the caller, and its readable part.
    pub(super) who: String,
    pub(super) who_short: String,
    pub(super) what: String,
    pub(super) on: String,
    pub(super) on_short: String,
    /// `true` if a change gave somebody a right that leads to all others.
    pub(super) equal_to_administrator: bool,
    /// `true` if it was allowed; none for a change.
    pub(super) allowed: Option<bool>,
    /// Key of the text that gives the reason.
    pub(super) reason: &'static str,
    /// Determining policy.
    pub(super) policy: Option<String>,
    pub(super) status: String,
    pub(super) ip: String,
    pub(super) query_id: String,
    /// Document before and after a change.
    pub(super) before: String,
    pub(super) after: String,
}

impl From<Line> for Row {
    fn from(line: Line) -> Self {
        let on = line.on.unwrap_or_default();
        let what = match line.count {
            Some(count) if line.left_out => format!("… × {count}"),
            Some(count) => format!("{} × {count}", line.what),
            None => line.what,
        };
        Self {
            at: second(line.at),
            who_short: short_urn(&line.who).to_owned(),
            who: line.who,
            what,
            on_short: short_urn(&on).to_owned(),
            on,
            equal_to_administrator: false,
            // Nothing is known of lines that were left out.
            allowed: (!line.left_out).then_some(line.allowed),
            reason: line.reason.map_or("", reason_text),
            policy: line.policy.map(|id| id.to_string()),
            status: line.status.map(|status| status.to_string()).unwrap_or_default(),
            ip: line.ip.unwrap_or_default(),
            query_id: line.query_id,
            before: String::new(),
            after: String::new(),
        }
    }
}

impl From<Event> for Row {
    fn from(event: Event) -> Self {
        Self {
            at: second(event.at),
            who_short: short_urn(&event.who).to_owned(),
            what: format!("{} {}", event.subject.as_str(), event.act()),
            on_short: event.name,
            on: event.id,
            equal_to_administrator: event.equal_to_administrator,
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

fn pretty(value: Option<&Value>) -> String {
    value.map(|value| format!("{value:#}")).unwrap_or_default()
}
