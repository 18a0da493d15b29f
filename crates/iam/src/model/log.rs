//! Logs: their lines, and which of them are wanted.

use gatewright_policy::{Decision, Instant, PolicyId};
use serde::{Deserialize, Serialize};

use crate::model::rights;

/// What a log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// Tokens that service accounts asked for.
    Token,
    /// Decisions of the policies.
    Decision,
    /// Calls of the API, and pages of the Control Panel.
    Call,
}

impl LogKind {
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

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The owner of the account may do everything in it.
    Root,
    /// A policy allows it.
    Allowed,
    /// The owner of the resource gave it to the account, and this passed it on.
    PassedOn,
    /// The token is for something else.
    OutOfScope,
    /// There is no such action on resources of this type.
    WrongType,
    /// A policy denies it.
    Denied,
    /// No policy allows it.
    NotAllowed,
}

impl Reason {
    /// The reason, and the policy that decided.
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
    /// When. No two lines of a node are equal in it.
    pub at: Instant,
    /// The URN of who did it.
    pub who: String,
    /// A scope, an action, or a method and a path.
    pub what: String,
    /// The URN of a resource, or a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Whether they got what they asked for.
    pub allowed: bool,
    /// Why a decision is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// The status of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the caller says to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// What the log of the server calls the request.
    pub query_id: String,
}

/// Which lines are wanted; an empty text fits all.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// A part of who.
    pub who: String,
    /// A part of what.
    pub what: String,
    /// A part of on what.
    pub on: String,
    /// Whether they got what they asked for.
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

/// Some lines of a log, the last first.
#[derive(Debug, Clone, Default)]
pub struct LogLines {
    /// The lines.
    pub lines: Vec<Line>,
    /// Before which instant to go on; none at the beginning of the log.
    pub older: Option<Instant>,
}

/// How often something happened in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourlyCounts {
    /// When the hour began.
    pub hour: Instant,
    /// Tokens that were given out.
    pub tokens: i64,
    /// Decisions that allowed something.
    pub allowed: i64,
    /// Decisions that refused something.
    pub refused: i64,
    /// Lines that were too many to be written down.
    pub left_out: i64,
}

/// A call that was answered.
#[derive(Debug)]
pub struct Call<'a> {
    /// The method and the path, without the query.
    pub what: String,
    /// What stands for the path in descriptions of the API, or `panel`.
    pub route: &'a str,
    /// The status that was answered.
    pub status: u16,
    /// What the caller says to use.
    pub user_agent: Option<&'a str>,
}
