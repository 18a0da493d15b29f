//! The audit log: the journal in a form for people.

use crate::activity::elevation::Judge;
use crate::core::budget::Budget;
use crate::core::iam::Iam;
use crate::engine::held::properties;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::event::{Event, Events};
use crate::model::log::LogFilter;
use crate::model::rights;
use gatewright_policy::Revision;

/// The number of journal entries that are read at once.
const CHUNK: i64 = 500;

/// The maximum number of entries that a request scans; the next request continues from there.
const MOST: i64 = 20_000;

impl Iam {
    /// Returns at most `most` changes of the caller's account before a revision, newest first. Of
    /// the filter, `what` matches the kind of an object and the act on it, and `on` its name or its
    /// identifier. Fewer are returned where it needs too much work to find out which of them gave a right
    /// that leads to all others.
    pub async fn audit(
        &self,
        context: &Context,
        filter: &LogFilter,
        place: (Revision, usize),
    ) -> Result<Events, IamError> {
        self.demand(context, rights::AUDIT_GET).await?;
        // Boxed, since the futures are large.
        let mut found = Box::pin(self.find_events(context, filter, place)).await?;
        Box::pin(self.mark_elevating(context, &mut found)).await?;
        Ok(found)
    }

    /// Finds the changes that fit a filter, none of which is marked.
    async fn find_events(
        &self,
        context: &Context,
        filter: &LogFilter,
        (mut before, most): (Revision, usize),
    ) -> Result<Events, IamError> {
        let mut found = Events::default();
        let mut budget = Budget::new(u64::MAX);
        let mut looked = 0;
        while looked < MOST {
            let entries = self.store.journal_before(context.account(), before, CHUNK).await?;
            let Some(oldest) = entries.last().map(|entry| entry.revision) else {
                found.older = None;
                return Ok(found);
            };
            for entry in entries {
                // Reading a byte takes about as long as a cost of 1.
                let cost = entry.size() as u64;
                let id_form = properties(entry.kind).id_form;
                let event = Event::read(entry, id_form)?;
                if event.fits(filter) {
                    if found.events.len() == most {
                        found.older = found.events.last().map(|event| event.revision);
                        return Ok(found);
                    }
                    found.events.push(event);
                }
                budget.pause_after(cost).await;
            }
            looked += CHUNK;
            before = oldest;
            found.older = Some(before);
        }
        Ok(found)
    }

    /// Marks the changes that gave somebody a right that leads to all others: a few at once, many as a
    /// large request. Where that needs too much work, the page ends early.
    async fn mark_elevating(&self, context: &Context, found: &mut Events) -> Result<(), IamError> {
        let view = self.views.get(context.account()).await?;
        let mut judge = Judge::new(view, self.settings.region);
        let mut budget = self.small_budget(0);
        let first = judge.mark(&mut found.events, 0, &mut budget).await;
        if first == found.events.len() {
            return Ok(());
        }
        let events = &mut found.events;
        let rest = async {
            let mut budget = self.budget();
            Ok(judge.mark(events, first, &mut budget).await)
        };
        let judged = self.large_requests.run(context.account(), rest).await?;
        if judged < found.events.len() {
            found.events.truncate(judged);
            found.older = found.events.last().map(|event| event.revision);
        }
        Ok(())
    }
}
