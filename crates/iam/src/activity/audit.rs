//! The audit log: the journal in a form for people.

use crate::activity::elevation::elevates;
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
    /// identifier.
    pub async fn audit(
        &self,
        context: &Context,
        filter: &LogFilter,
        (mut before, most): (Revision, usize),
    ) -> Result<Events, IamError> {
        self.demand(context, rights::AUDIT_GET).await?;
        let view = self.views.get(context.account()).await?;
        let mut found = Events::default();
        let mut looked = 0;
        while looked < MOST {
            let entries = self.store.journal_before(context.account(), before, CHUNK).await?;
            let Some(oldest) = entries.last().map(|entry| entry.revision) else {
                found.older = None;
                return Ok(found);
            };
            for entry in entries {
                let id_form = properties(entry.kind).id_form;
                let mut event = Event::read(entry, id_form)?;
                if event.fits(filter) {
                    if found.events.len() == most {
                        found.older = found.events.last().map(|event| event.revision);
                        return Ok(found);
                    }
                    event.equal_to_administrator = elevates(&view, self.settings.region, &event);
                    found.events.push(event);
                }
            }
            looked += CHUNK;
            before = oldest;
            found.older = Some(before);
        }
        Ok(found)
    }
}
