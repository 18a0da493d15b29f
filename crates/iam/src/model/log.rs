//! Logs of activity: their lines and filters.

use gatewright_policy::{Decision, Instant, PolicyId};
use serde::{Deserialize, Serialize};

use crate::model::rights;

/// The category of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// Token requests of service accounts.
    Token,
    /// Authorization decisions.
    Decision,
    /// API calls, and requests for pages of the Control Panel.
    Call,
}

impl LogKind {
    /// Returns the kind with a name; none where there is no such kind.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Token, Self::Decision, Self::Call].into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Decision => "decision",
            Self::Call => "call",
        }
    }

    pub(crate) fn right(self) -> &'static str {
        match self {
            Self::Token => rights::CLIENT_GET,
            Self::Decision => rights::DECISIONS_READ,
            Self::Call => rights::CALLS_GET,
        }
    }
}

/// The reason for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The root login of the account has every right in it.
    Root,
    /// A policy allows it.
    Allowed,
    /// The owner of the resource gave it to the account, and this passed it on (delegation).
    PassedOn,
    /// The scope of the token does not cover it.
    OutOfScope,
    /// No such action exists on resources of this type.
    WrongType,
    /// A policy denies it.
    Denied,
    /// No policy allows it (implicit deny).
    NotAllowed,
}

impl Reason {
    /// Returns the reason of a decision, and its determining policy.
    pub(crate) fn of(decision: &Decision<'_>) -> (Self, Option<PolicyId>) {
        match decision {
            Decision::Root => (Self::Root, None),
            Decision::Allowed(determining) => (Self::Allowed, Some(determining.policy)),
            Decision::PassedOn { passed, .. } => (Self::PassedOn, Some(passed.policy)),
            Decision::OutOfScope => (Self::OutOfScope, None),
            Decision::WrongType => (Self::WrongType, None),
            Decision::Denied(determining) => (Self::Denied, Some(determining.policy)),
            Decision::NotAllowed => (Self::NotAllowed, None),
        }
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The time of the activity. No two lines of a node have the same.
    pub at: Instant,
    /// The URN of the principal.
    pub who: String,
    /// A scope, an action, or a method and a path.
    pub what: String,
    /// The URN of a resource, or a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// True if the request was allowed.
    pub allowed: bool,
    /// The reason for a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The determining policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// The HTTP status of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `User-Agent` of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The client's IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The query ID of the request.
    pub query_id: String,
    /// The number of activities that the line stands for; one, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// True if these activities were left out of the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// A filter of log lines; an empty text matches all.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// A part of the principal's URN.
    pub who: String,
    /// A part of [`Line::what`].
    pub what: String,
    /// A part of the URN of the resource, or of the route.
    pub on: String,
    /// True for allowed requests only, false for denied ones only.
    pub allowed: Option<bool>,
}

impl LogFilter {
    pub(crate) fn fits(&self, line: &Line) -> bool {
        line.who.contains(&self.who)
            && line.what.contains(&self.what)
            && line.on.as_deref().unwrap_or_default().contains(&self.on)
            && self.allowed.is_none_or(|allowed| allowed == line.allowed)
    }
}

/// A page of a log, the latest line first.
#[derive(Debug, Clone, Default)]
pub struct LogLines {
    /// The lines.
    pub lines: Vec<Line>,
    /// The instant before which the next, older page starts; none at the beginning of the log.
    pub older: Option<Instant>,
}

/// The number of activities in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourlyCounts {
    /// The start of the hour.
    pub hour: Instant,
    /// The number of issued tokens.
    pub tokens: i64,
    /// The number of decisions that allowed the action.
    pub allowed: i64,
    /// The number of decisions that denied the action.
    pub refused: i64,
    /// The number of lines that were dropped, since too many waited.
    pub left_out: i64,
}

/// A call of the API that was answered.
#[derive(Debug)]
pub struct Call<'a> {
    /// The method and the path, without the query.
    pub what: String,
    /// The path template in the OpenAPI document, or `panel`.
    pub route: &'a str,
    /// The HTTP status of the response.
    pub status: u16,
    /// The `User-Agent` of the caller.
    pub user_agent: Option<&'a str>,
}
