//! The logs of an account: issued tokens, decisions, and answered calls. They are kept for some
//! days; changes are in the journal, which is kept permanently.

use gatewright_policy::Instant;

use super::search::Search;
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::log::{Call, HourlyCounts, Line, LogFilter, LogKind, LogLines};
use crate::model::log_terms::LineFilter;
use crate::model::page::{Page, PageRequest};
use crate::model::rights;

impl Iam {
    /// Returns at most `most` lines of a log of the caller's account before an instant, newest
    /// first. It reads all lines, and perhaps not all in one request.
    pub async fn log(
        &self,
        context: &Context,
        kind: LogKind,
        filter: &LogFilter,
        (before, most): (Instant, usize),
    ) -> Result<LogLines, IamError> {
        self.demand(context, kind.right()).await?;
        self.recorder.flush().await?;
        let search = Search {
            store: &self.store,
            account: context.account(),
            kind,
            from: Instant::MIN,
            terms: Vec::new(),
            fits: &|line| filter.fits(line),
            most,
        };
        search.run(before).await
    }

    /// Finds lines of a log of the caller's account by exact values, newest first. A page of them may
    /// be shorter than asked for, or empty, and yet have a cursor: a request searches only so much.
    pub async fn find_lines(
        &self,
        context: &Context,
        kind: LogKind,
        filter: Input<LineFilter>,
        page: Input<PageRequest>,
    ) -> Result<Page<Line>, IamError> {
        self.demand(context, kind.right()).await?;
        let (filter, page) = (filter?, page?);
        filter.check()?;
        let before = page.before().map_or(Instant::MAX, Instant::from_micros);
        let found = self.search_log(context, kind, &filter, (before, page.size())).await?;
        Ok(page.until(found.lines, found.older.map(Instant::micros)))
    }

    /// Searches a log of the caller's account by the terms of its pages.
    async fn search_log(
        &self,
        context: &Context,
        kind: LogKind,
        filter: &LineFilter,
        (before, most): (Instant, usize),
    ) -> Result<LogLines, IamError> {
        self.recorder.flush().await?;
        let search = Search {
            store: &self.store,
            account: context.account(),
            kind,
            from: filter.from.unwrap_or(Instant::MIN),
            terms: filter.terms(),
            fits: &|line| filter.fits(line),
            most,
        };
        search.run(filter.to.map_or(before, |to| to.min(before))).await
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
        self.demand(context, kind.right()).await?;
        let filter = LineFilter { actor: Some(identity.to_owned()), ..LineFilter::default() };
        Ok(self.search_log(context, kind, &filter, (Instant::MAX, most)).await?.lines)
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
