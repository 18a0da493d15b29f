//! Kinds of logs, and the filter of a query.

use gatewright_iam::{LogFilter, LogKind};

use crate::fields::{Fields, encoded};

/// Log that a page displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    Audit,
    Activity,
    Decisions,
}

impl Log {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Audit => "/logs/audit",
            Self::Activity => "/logs/activity",
            Self::Decisions => "/logs/decisions",
        }
    }

    /// Returns the name of the file that the log is downloaded as.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Audit => "audit.jsonl",
            Self::Activity => "activity.jsonl",
            Self::Decisions => "decisions.jsonl",
        }
    }

    /// Returns the kind of the activity log; none for the audit log, which is the journal.
    pub(super) fn kind(self) -> Option<LogKind> {
        match self {
            Self::Audit => None,
            Self::Activity => Some(LogKind::Call),
            Self::Decisions => Some(LogKind::Decision),
        }
    }

    /// Returns the key of the text that introduces the log.
    pub(super) fn intro(self) -> &'static str {
        match self {
            Self::Audit => "logs-audit-intro",
            Self::Activity => "logs-activity-intro",
            Self::Decisions => "logs-decisions-intro",
        }
    }
}

/// Reads the filter of a query.
pub(super) fn read_filter(query: &Fields) -> LogFilter {
    let text = |name| query.get(name).to_owned();
    LogFilter {
        who: text("who"),
        what: text("what"),
        on: text("on"),
        allowed: match query.get("outcome") {
            "allowed" => Some(true),
            "refused" => Some(false),
            _ => None,
        },
    }
}

/// Converts a filter to a query.
pub(super) fn filter_query(filter: &LogFilter) -> String {
    let outcome = match filter.allowed {
        None => "",
        Some(true) => "allowed",
        Some(false) => "refused",
    };
    let LogFilter { who, what, on, .. } = filter;
    let [who, what, on] = [who, what, on].map(|text| encoded(text));
    format!("?who={who}&what={what}&on={on}&outcome={outcome}")
}
