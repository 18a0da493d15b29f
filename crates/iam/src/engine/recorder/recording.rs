//! The decisions of one request while they are made.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::{Decisions, RecordedDecision, Recorder};
use crate::model::caller::Context;

impl Recorder {
    /// Begins to record the decisions of a request.
    pub(crate) fn recording(&self) -> Recording<'_> {
        Recording { recorder: self, first: None, others: HashMap::default() }
    }
}

/// The URN of a caller, and its address.
type CallerKey = (Arc<str>, Option<IpAddr>);

/// The decisions of a request for one caller or several, which are recorded when this is dropped: at
/// its end, or when its client goes away.
pub(crate) struct Recording<'r> {
    recorder: &'r Recorder,
    /// The first caller, which is the only one of nearly all requests.
    first: Option<(Context, Decisions)>,
    others: HashMap<CallerKey, (Context, Decisions), RandomState>,
}

impl Recording<'_> {
    /// Forgets the decisions: they are made again elsewhere.
    pub(crate) fn discard(mut self) {
        self.first = None;
        self.others.clear();
    }

    /// Adds a decision for the caller of a request.
    pub(crate) fn add(&mut self, context: &Context, decision: RecordedDecision<'_>) {
        let recorder = self.recorder;
        let new = || (context.clone(), recorder.decisions_for(context));
        let (first, decisions) = self.first.get_or_insert_with(new);
        if is_same_caller(first, context) {
            return decisions.add(decision);
        }
        let caller = (context.principal.identity.shared_urn(), context.ip);
        let (_, decisions) = self.others.entry(caller).or_insert_with(new);
        decisions.add(decision);
    }
}

fn is_same_caller(one: &Context, other: &Context) -> bool {
    one.ip == other.ip
        && (Arc::ptr_eq(&one.principal, &other.principal)
            || one.principal.identity == other.principal.identity)
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let others = std::mem::take(&mut self.others).into_values();
        for (context, decisions) in self.first.take().into_iter().chain(others) {
            self.recorder.record_decisions(&context, decisions);
        }
    }
}
