//! Tests of searches while pages are merged.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use gatewright_policy::{AccountName, ClientId, Identity, Instant, Region};
use gatewright_store::{Author, Listing, LogSpan, Store};
use gatewright_testing::{TestDatabase, on_both_databases};

use super::Search;
use crate::engine::recorder::{Recorder, TokenOutcome};
use crate::model::caller::Principal;
use crate::model::log::{Line, LogKind};
use crate::model::log_terms::LineFilter;
use crate::model::query_id::QueryId;
use crate::sources::Sources;

/// A recorder of an account's activity.
struct Log {
    account: AccountName,
    store: Store,
    recorder: Recorder,
    now: Instant,
}

impl Log {
    async fn new(database: &TestDatabase) -> Self {
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        let (account, sources) = (AccountName::new("aa1-ovh"), Sources::system());
        let now = sources.now();
        let author =
            Author { actor: "test".to_owned(), ip: None, query_id: "q".to_owned(), at: now };
        store.create_account(&account, &author, &[]).await.unwrap();
        let recorder = Recorder::new(store.clone(), sources, Region::Eu);
        Self { account, store, recorder, now }
    }

    fn client(&self, number: u8) -> Arc<Principal> {
        let id = ClientId::new(format!("EU.{number}"));
        let identity = Identity::service_account(Region::Eu, &self.account, &id);
        Arc::new(Principal::alone(identity, Region::Eu))
    }

    /// Returns all lines that a filter finds, in pages of a size.
    async fn find(&self, filter: &LineFilter, most: usize) -> Vec<Line> {
        let (mut lines, mut before) = (Vec::new(), Instant::MAX);
        loop {
            let search = Search {
                store: &self.store,
                account: &self.account,
                kind: LogKind::Token,
                from: Instant::MIN,
                terms: filter.terms(),
                fits: &|line| filter.fits(line),
                most,
            };
            let found = search.run(before).await.unwrap();
            assert!(found.lines.len() <= most);
            lines.extend(found.lines);
            match found.older {
                Some(older) => before = older,
                None => return lines,
            }
        }
    }

    /// Returns the numbers of pages, and of those with their terms.
    async fn pages(&self) -> (usize, usize) {
        let (from, before) = (Instant::MIN, Instant::MAX);
        let kind = LogKind::Token.as_str();
        let span = LogSpan { account: &self.account, kind, from, before };
        let pages = self.store.log_pages(span, Listing::Terms, 10_000).await.unwrap();
        (pages.len(), pages.iter().filter(|page| page.has_terms()).count())
    }
}

on_both_databases!(every_line_is_found_once_while_pages_are_merged);
async fn every_line_is_found_once_while_pages_are_merged(database: TestDatabase) {
    let log = Log::new(&database).await;
    let mut rng = Rng::with_seed(3);
    let mut at = log.now.saturating_sub(Duration::from_hours(12));
    let mut recorded = Vec::new();
    let mut flushes = 0;
    while at < log.now {
        for _ in 0..rng.usize(1..12) {
            at = at.saturating_add(Duration::from_micros(rng.u64(1..20_000_000)));
            let (client, query_id) =
                (log.client(rng.u8(..5)), QueryId::new(Region::Eu, rng.u128(..)));
            let scope = format!("scope-{} {}", rng.u8(..20), "x".repeat(rng.usize(..900)));
            recorded.push((at, client.identity.urn().to_owned(), query_id.to_string()));
            let about = (None, query_id, at);
            log.recorder.record_token_request(&client, &scope, TokenOutcome::Issued, about);
        }
        log.recorder.flush().await.unwrap();
        flushes += 1;
        match rng.u8(..30) {
            0 => log.recorder.merge().await.unwrap(),
            1 => at = at.saturating_add(Duration::from_mins(40)),
            _ => {}
        }
    }
    recorded.reverse();
    let before = log.pages().await;
    log.recorder.merge().await.unwrap();
    let (pages, with_terms) = log.pages().await;
    assert!(pages <= before.0 && pages < flushes / 3, "{pages} pages, before {before:?}");
    assert!(pages - with_terms < flushes / 3, "{with_terms} of {pages} have terms");
    let found = |lines: Vec<Line>| -> Vec<_> {
        lines.into_iter().map(|line| (line.at, line.who, line.query_id)).collect()
    };
    assert_eq!(found(log.find(&LineFilter::default(), 100).await), recorded);
    for number in 0..5 {
        let actor = log.client(number).identity.urn().to_owned();
        let expected: Vec<_> =
            recorded.iter().filter(|(_, who, _)| *who == actor).cloned().collect();
        let filter = LineFilter { actor: Some(actor), ..LineFilter::default() };
        assert_eq!(found(log.find(&filter, rng.usize(1..50)).await), expected);
    }
    for _ in 0..100 {
        let expected = &recorded[rng.usize(..recorded.len())];
        let filter = LineFilter { query_id: Some(expected.2.clone()), ..LineFilter::default() };
        assert_eq!(found(log.find(&filter, 10).await), std::slice::from_ref(expected));
    }
}

on_both_databases!(lines_are_merged_only_once_and_soon_enough);
async fn lines_are_merged_only_once_and_soon_enough(database: TestDatabase) {
    let log = Log::new(&database).await;
    let record = async |ago: Duration| {
        let about = (None, QueryId::OPERATOR, log.now.saturating_sub(ago));
        log.recorder.record_token_request(&log.client(1), "all", TokenOutcome::Issued, about);
        log.recorder.flush().await.unwrap();
    };
    for minutes in (1..=180).rev() {
        record(Duration::from_mins(minutes)).await;
    }
    assert_eq!(log.pages().await, (180, 0));
    log.recorder.merge().await.unwrap();
    let (pages, with_terms) = log.pages().await;
    assert!(with_terms == 2 || with_terms == 3, "a page of each hour: {with_terms}");
    assert!(pages - with_terms <= 61, "the last hour waits: {pages}");
    log.recorder.merge().await.unwrap();
    assert_eq!(log.pages().await, (pages, with_terms));
    assert_eq!(log.find(&LineFilter::default(), 1_000).await.len(), 180);
}
