//! Entries of a log, page by page.

use gatewright_iam::{Context, Event, Instant, Line, LogFilter, Revision};

use super::log::Log;
use crate::error::PageError;
use crate::request::RequestContext;

/// Entries of a log, the newest first.
pub(super) enum Entries {
    Events(Vec<Event>),
    Lines(Vec<Line>),
}

/// Position in a log: a revision of the journal, or an instant in microseconds.
pub(super) type LogPosition = i64;

/// Returns the entries before a position, or the newest, and the position of older ones.
pub(super) async fn entries(
    request: &RequestContext,
    context: &Context,
    log: Log,
    filter: &LogFilter,
    (before, limit): (Option<LogPosition>, usize),
) -> Result<(Entries, Option<LogPosition>), PageError> {
    Ok(match log.kind() {
        None => {
            let place = (before.map_or(Revision::MAX, Revision::new), limit);
            let found = request.iam.audit(context, filter, place).await?;
            (Entries::Events(found.events), found.older.map(Revision::number))
        }
        Some(kind) => {
            let place = (before.map_or(Instant::MAX, Instant::from_micros), limit);
            let found = request.iam.log(context, kind, filter, place).await?;
            (Entries::Lines(found.lines), found.older.map(Instant::micros))
        }
    })
}
