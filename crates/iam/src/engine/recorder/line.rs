//! Log lines that are not written yet.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{Identity, Instant, PolicyId};

use crate::model::caller::{Context, Principal};
use crate::model::log::{Line, LogKind, Reason};
use crate::model::query_id::QueryId;

/// The caller of an activity.
#[derive(Clone)]
pub(super) enum Actor {
    Principal(Arc<Principal>),
    Identity(Identity),
}

impl Actor {
    pub(super) fn identity(&self) -> &Identity {
        match self {
            Self::Principal(principal) => &principal.identity,
            Self::Identity(identity) => identity,
        }
    }
}

/// The memory that a line takes beside its texts, in bytes.
pub(super) const FIXED: usize = size_of::<PendingLine>();

/// A log line that is not written yet.
#[derive(Clone)]
pub(super) struct PendingLine {
    pub(super) kind: LogKind,
    pub(super) at: Instant,
    pub(super) actor: Actor,
    pub(super) ip: Option<IpAddr>,
    pub(super) query_id: QueryId,
    pub(super) what: String,
    pub(super) on: Option<Box<str>>,
    pub(super) allowed: bool,
    pub(super) reason: Option<Reason>,
    pub(super) policy: Option<PolicyId>,
    pub(super) status: Option<u16>,
    pub(super) user_agent: Option<String>,
    /// The number of activities that the line stands for, if it is not one.
    pub(super) count: Option<u64>,
    /// True if the activities that it stands for were left out of the log.
    pub(super) left_out: bool,
}

impl PendingLine {
    /// Creates a line about a request, which says nothing more yet.
    pub(super) fn of(kind: LogKind, context: &Context) -> Self {
        let actor = Actor::Principal(Arc::clone(&context.principal));
        Self::about(kind, actor, (context.ip, context.query_id, context.now))
    }

    /// Creates a line about a caller, which says nothing more yet.
    pub(super) fn about(
        kind: LogKind,
        actor: Actor,
        (ip, query_id, at): (Option<IpAddr>, QueryId, Instant),
    ) -> Self {
        Self {
            kind,
            at,
            actor,
            ip,
            query_id,
            what: String::new(),
            on: None,
            allowed: false,
            reason: None,
            policy: None,
            status: None,
            user_agent: None,
            count: None,
            left_out: false,
        }
    }

    /// Returns the memory that it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let user_agent = self.user_agent.as_ref().map_or(0, String::len);
        FIXED + self.what.len() + self.on.as_ref().map_or(0, |on| on.len()) + user_agent
    }

    pub(super) fn line(self) -> Line {
        Line {
            at: self.at,
            who: self.actor.identity().urn().to_owned(),
            what: self.what,
            on: self.on.map(String::from),
            allowed: self.allowed,
            reason: self.reason,
            policy: self.policy,
            status: self.status,
            user_agent: self.user_agent,
            ip: self.ip.map(|ip| ip.to_string()),
            query_id: self.query_id.to_string(),
            count: self.count,
            left_out: self.left_out,
        }
    }
}
