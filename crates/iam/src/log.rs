//! Logs: the tokens that were given out, the decisions that were made, the calls that were
//! answered. They are kept for some days; what changed is in the journal, which is kept for good.

mod recorder;

use gatewright_policy::Decision;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::Context;
use crate::error::IamError;
use crate::iam::Iam;
use crate::rights;

pub use recorder::Call;
pub(crate) use recorder::{Decided, Recorder};

/// Microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// So many pages are read at once.
const PAGES_AT_ONCE: i64 = 10;

/// A request looks through so many pages and lines, and little more; the next one goes on from
/// there. A busy second fills a page with ten thousand lines, a quiet one with a single line.
const MOST_PAGES: usize = 1_000;
const MOST_LINES: usize = 100_000;

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
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Decision => "decision",
            Self::Call => "call",
        }
    }

    fn right(self) -> &'static str {
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
    pub(crate) fn of(decision: &Decision<'_>) -> (Self, Option<Uuid>) {
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
    /// When: microseconds since 1970, UTC. No two lines of a node are equal in it.
    pub at: i64,
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
    pub policy: Option<Uuid>,
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
    fn fits(&self, line: &Line) -> bool {
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
    pub older: Option<i64>,
}

/// How often something happened in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourlyCounts {
    /// Hours since 1970, UTC.
    pub hour: i64,
    /// Tokens that were given out.
    pub tokens: i64,
    /// Decisions that allowed something.
    pub allowed: i64,
    /// Decisions that refused something.
    pub refused: i64,
    /// Lines that were too many to be written down.
    pub left_out: i64,
}

impl Iam {
    /// At most `most` lines of a log of the caller's account before an instant, the last first.
    pub async fn log(
        &self,
        context: &Context,
        kind: LogKind,
        filter: &LogFilter,
        (mut before, most): (i64, usize),
    ) -> Result<LogLines, IamError> {
        self.demand(context, kind.right()).await?;
        self.recorder.flush().await?;
        let account = context.account();
        let mut found = LogLines::default();
        let (mut pages_read, mut lines_read) = (0, 0);
        while pages_read < MOST_PAGES && lines_read < MOST_LINES {
            let pages = self.store.log_back(account, kind.as_str(), before, PAGES_AT_ONCE).await?;
            pages_read += pages.len();
            // Pages of several nodes overlap: the lines are complete down to the end of the oldest
            // page, or to the beginning of the log.
            let is_all = i64::try_from(pages.len()).is_ok_and(|count| count < PAGES_AT_ONCE);
            let end = pages.iter().map(|page| page.last).min().filter(|_| !is_all);
            let complete = end.unwrap_or(i64::MIN);
            let mut lines = Vec::new();
            for text in pages.iter().flat_map(|page| page.lines.lines()) {
                lines_read += 1;
                let line: Line = serde_json::from_str(text)?;
                if line.at < before && line.at >= complete && filter.fits(&line) {
                    lines.push(line);
                }
            }
            lines.sort_by_key(|line| std::cmp::Reverse(line.at));
            found.lines.append(&mut lines);
            if found.lines.len() > most {
                found.lines.truncate(most);
                found.older = found.lines.last().map(|line| line.at);
                return Ok(found);
            }
            if is_all {
                found.older = None;
                return Ok(found);
            }
            before = complete;
            found.older = Some(before);
        }
        Ok(found)
    }

    /// The calls that other accounts made on what belongs to the caller's: none, since a call only
    /// ever reads and changes what belongs to its caller.
    pub async fn calls_on_services(&self, context: &Context) -> Result<Vec<Line>, IamError> {
        self.demand(context, rights::CALLS_ON_SERVICES_GET).await?;
        Ok(Vec::new())
    }

    /// What a service account did last: at most `most` lines, where it was not long ago.
    pub async fn last_lines(
        &self,
        context: &Context,
        kind: LogKind,
        identity: &str,
        most: usize,
    ) -> Result<Vec<Line>, IamError> {
        let filter = LogFilter { who: identity.to_owned(), ..LogFilter::default() };
        Ok(self.log(context, kind, &filter, (i64::MAX, most)).await?.lines)
    }

    /// What happened how often in the caller's account since an hour, counted from 1970.
    pub async fn hourly_counts(
        &self,
        context: &Context,
        since: i64,
    ) -> Result<Vec<HourlyCounts>, IamError> {
        self.demand(context, rights::DECISIONS_READ).await?;
        self.recorder.flush().await?;
        let mut hourly_counts: Vec<HourlyCounts> = Vec::new();
        for one in self.store.hourly_counts(context.account(), since).await? {
            if hourly_counts.last().is_none_or(|last| last.hour != one.hour) {
                hourly_counts.push(HourlyCounts { hour: one.hour, ..HourlyCounts::default() });
            }
            let Some(last) = hourly_counts.last_mut() else { continue };
            match one.what.as_str() {
                "token" => last.tokens = one.count,
                "allowed" => last.allowed = one.count,
                "refused" => last.refused = one.count,
                _ => last.left_out = one.count,
            }
        }
        Ok(hourly_counts)
    }

    /// A call was answered, be it well or not.
    pub fn record(&self, context: &Context, call: Call<'_>) {
        self.recorder.called(context, call);
    }
}
