//! The logs of an account: issued tokens, decisions, and answered calls. They are kept for some
//! days; changes are in the journal, which is kept permanently.

use gatewright_policy::Instant;

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::log::{Call, HourlyCounts, Line, LogFilter, LogKind, LogLines};
use crate::model::rights;

/// The number of pages that are read at once.
const PAGES_AT_ONCE: i64 = 10;

/// The maximum number of pages, and about that of lines, that a request scans; the next request
/// continues from there. A busy second fills a page with ten thousand lines, a quiet one with a
/// single line.
const MOST_PAGES: usize = 1_000;

const MOST_LINES: usize = 100_000;

impl Iam {
    /// Returns at most `most` lines of a log of the caller's account before an instant, newest
    /// first.
    pub async fn log(
        &self,
        context: &Context,
        kind: LogKind,
        filter: &LogFilter,
        (mut before, most): (Instant, usize),
    ) -> Result<LogLines, IamError> {
        self.demand(context, kind.right()).await?;
        self.recorder.flush().await?;
        let account = context.account();
        let mut found = LogLines::default();
        let (mut pages_read, mut lines_read) = (0, 0);
        while pages_read < MOST_PAGES && lines_read < MOST_LINES {
            let pages =
                self.store.log_before(account, kind.as_str(), before, PAGES_AT_ONCE).await?;
            pages_read += pages.len();
            // Pages of several nodes overlap: the lines are complete down to the end of the oldest
            // page, or to the beginning of the log.
            let is_all = i64::try_from(pages.len()).is_ok_and(|count| count < PAGES_AT_ONCE);
            let end = pages.iter().map(|page| page.last).min().filter(|_| !is_all);
            let complete = end.unwrap_or(Instant::MIN);
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

    /// Returns the calls that other accounts made on resources of the caller's account: none, since
    /// a call only reads and changes objects of its caller's account.
    pub async fn calls_on_services(&self, context: &Context) -> Result<Vec<Line>, IamError> {
        self.demand(context, rights::CALLS_ON_SERVICES_GET).await?;
        Ok(Vec::new())
    }

    /// Returns at most `most` recent lines about a service account, newest first.
    pub async fn last_lines(
        &self,
        context: &Context,
        kind: LogKind,
        identity: &str,
        most: usize,
    ) -> Result<Vec<Line>, IamError> {
        let filter = LogFilter { who: identity.to_owned(), ..LogFilter::default() };
        Ok(self.log(context, kind, &filter, (Instant::MAX, most)).await?.lines)
    }

    /// Returns the hourly counts of the caller's account since an instant.
    pub async fn hourly_counts(
        &self,
        context: &Context,
        since: Instant,
    ) -> Result<Vec<HourlyCounts>, IamError> {
        self.demand(context, rights::DECISIONS_READ).await?;
        self.recorder.flush().await?;
        let mut hourly_counts: Vec<HourlyCounts> = Vec::new();
        for one in self.store.hourly_counts(context.account(), since.hours()).await? {
            let hour = Instant::from_hours(one.hour);
            if hourly_counts.last().is_none_or(|last| last.hour != hour) {
                hourly_counts.push(HourlyCounts { hour, ..HourlyCounts::default() });
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

    /// Records an answered call, whether it succeeded or not.
    pub fn record(&self, context: &Context, call: Call<'_>) {
        self.recorder.record_call(context, call);
    }
}
