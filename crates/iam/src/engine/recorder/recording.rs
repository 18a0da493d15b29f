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
        Recording { recorder: self, callers: HashMap::default() }
    }
}

/// The URN of a caller, and its address.
type CallerKey = (Arc<str>, Option<IpAddr>);

/// The decisions of a request for one caller or several, which are recorded when this is dropped: at
/// its end, or when its client goes away.
pub(crate) struct Recording<'r> {
    recorder: &'r Recorder,
    callers: HashMap<CallerKey, (Context, Decisions), RandomState>,
}

impl Recording<'_> {
    /// Forgets the decisions: they are made again elsewhere.
    pub(crate) fn discard(mut self) {
        self.callers.clear();
    }

    /// Adds a decision for the caller of a request.
    pub(crate) fn add(&mut self, context: &Context, decision: RecordedDecision<'_>) {
        let caller = (context.principal.identity.shared_urn(), context.ip);
        let new = || (context.clone(), Decisions::default());
        let (_, decisions) = self.callers.entry(caller).or_insert_with(new);
        decisions.add(decision);
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        for (context, decisions) in std::mem::take(&mut self.callers).into_values() {
            self.recorder.record_decisions(&context, decisions);
        }
    }
}
