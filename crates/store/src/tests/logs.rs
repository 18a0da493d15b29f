//! Tests of the pages of logs: how they are listed by their terms, and merged.

use std::time::Duration;

use gatewright_policy::Instant;
use gatewright_testing::{TestDatabase, on_both_databases};

use super::{ACCOUNT, NOBODY, address, opened, tamper, trim};
use crate::{
    ActivityBatch, Listing, LogPage, LogSpan, PAGE_SPAN, PageListing, Store, StoreError, Term,
    TermFilter,
};

const KIND: &str = "call";

fn term(text: &str) -> Term {
    Term::new(b'x', text)
}

/// A page of lines, each of which is a term and the second of its time.
fn page(lines: &[(&str, i64)], with_terms: bool) -> LogPage {
    let times = || lines.iter().map(|(_, at)| Instant::from_seconds(*at));
    LogPage {
        account: ACCOUNT.clone(),
        kind: KIND.to_owned(),
        first: times().min().unwrap(),
        last: times().max().unwrap(),
        lines: lines.iter().map(|(text, at)| format!("{text} {at}\n")).collect::<Vec<_>>().concat(),
        terms: with_terms.then(|| TermFilter::of(lines.iter().map(|(text, _)| term(text)))),
    }
}

async fn write(store: &Store, pages: impl IntoIterator<Item = LogPage>) {
    let pages = pages.into_iter().collect();
    store.record_activity(&ActivityBatch { pages, ..ActivityBatch::default() }).await.unwrap();
}

fn span(from: i64, before: i64) -> LogSpan<'static> {
    let (from, before) = (Instant::from_seconds(from), Instant::from_seconds(before));
    LogSpan { account: &ACCOUNT, kind: KIND, from, before }
}

/// Lists the pages of a span by their terms: their ends, and whether they may have a term.
async fn listed(store: &Store, span: LogSpan<'_>, most: i64, text: &str) -> Vec<(i64, bool)> {
    let pages = store.log_pages(span, Listing::Terms, most).await.unwrap();
    pages.iter().map(|page| (page.last.seconds(), page.may_have(&[term(text)]))).collect()
}

/// Reads all lines, by their times; of one time, by their texts.
async fn lines(store: &Store) -> Vec<String> {
    let pages = store.log_pages(span(0, 1_000_000), Listing::Lines, 1_000).await.unwrap();
    let mut lines: Vec<String> = pages
        .iter()
        .flat_map(|page| page.lines.as_ref().unwrap().lines().map(str::to_owned))
        .collect();
    let time = |line: &String| line.split(' ').nth(1).unwrap().parse::<i64>().unwrap();
    lines.sort_by_cached_key(|line| (time(line), line.clone()));
    lines
}

on_both_databases!(pages_are_listed_by_their_terms_or_with_their_lines);
async fn pages_are_listed_by_their_terms_or_with_their_lines(database: TestDatabase) {
    let store = opened(&database).await;
    let large = "z".repeat(20_000);
    write(
        &store,
        [
            page(&[("a", 10), ("b", 20)], true),
            page(&[("b", 15), ("c", 25)], true),
            page(&[("d", 30)], false),
            page(&[(large.as_str(), 40)], false),
        ],
    )
    .await;
    let all = span(0, 100);
    assert_eq!(
        listed(&store, all, 9, "b").await,
        [(40, true), (30, true), (25, true), (20, true)],
        "what has no terms may have any"
    );
    assert_eq!(
        listed(&store, all, 9, "a").await,
        [(40, true), (30, true), (25, false), (20, true)]
    );
    assert_eq!(listed(&store, all, 2, "a").await, [(40, true), (30, true)]);
    assert_eq!(listed(&store, span(0, 16), 9, "c").await, [(25, true), (20, false)]);
    assert_eq!(listed(&store, span(26, 40), 9, "c").await, [(30, true)]);
    let pages = store.log_pages(all, Listing::Terms, 9).await.unwrap();
    let shown: Vec<_> = pages.iter().map(|page| (page.has_terms(), page.lines.clone())).collect();
    let small = Some("d 30\n".to_owned());
    assert_eq!(shown, [(false, None), (false, small), (true, None), (true, None)]);
    let read = async |page: &PageListing| store.log_lines((&*ACCOUNT, KIND), page).await.unwrap();
    assert_eq!(read(&pages[0]).await, [format!("{large} 40\n")]);
    assert_eq!(read(&pages[2]).await, ["b 15\nc 25\n"]);
    assert!(store.log_lines((&*NOBODY, KIND), &pages[2]).await.unwrap().is_empty());
    // Terms are deleted with their lines, for their age or their size.
    assert!(store.delete_old_lines(Instant::from_seconds(21)).await.unwrap());
    assert_eq!(listed(&store, all, 9, "a").await, [(40, true), (30, true), (25, false)]);
    assert!(trim(&store, (20_009, i64::MAX)).await > 0);
    assert_eq!(listed(&store, all, 9, "a").await, [(40, true), (30, true)]);
}

on_both_databases!(pages_of_older_versions_are_read_whatever_is_looked_for);
async fn pages_of_older_versions_are_read_whatever_is_looked_for(database: TestDatabase) {
    let store = opened(&database).await;
    tamper(
        &database,
        "INSERT INTO log (account, kind, first, last, lines)
            VALUES ('aa1-ovh', 'call', 1000000, 2000000, 'a 1')",
    )
    .await;
    let pages = store.log_pages(span(0, 9), Listing::Terms, 9).await.unwrap();
    let [old] = pages.as_slice() else { panic!("{pages:?}") };
    assert!(old.may_have(&[term("a")]) && old.may_have(&[term("b")]));
    assert_eq!(store.log_lines((&*ACCOUNT, KIND), old).await.unwrap(), ["a 1"]);
}

/// Merges pages into one, as the use cases do.
fn merged(texts: &[String]) -> Vec<LogPage> {
    let mut lines: Vec<(&str, i64)> = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| line.split_once(' ').unwrap())
        .map(|(text, at)| (text, at.parse().unwrap()))
        .collect();
    lines.sort_by_key(|(_, at)| *at);
    vec![page(&lines, true)]
}

async fn merge(store: &Store, first: i64, last: i64) -> bool {
    let ends = (Instant::from_seconds(first), Instant::from_seconds(last));
    let merge = |texts: &[String]| Ok::<_, StoreError>(merged(texts));
    store.merge_pages((&*ACCOUNT, KIND), ends, merge).await.unwrap()
}

on_both_databases!(merging_keeps_the_lines_their_order_and_their_size);
async fn merging_keeps_the_lines_their_order_and_their_size(database: TestDatabase) {
    let store = opened(&database).await;
    let small = (10..30).map(|at| page(&[("a", at), ("b", at + 1)], false));
    write(&store, small.chain([page(&[("large", 15)], true)])).await;
    let before = lines(&store).await;
    let size = async |of| trim(&store, (of, i64::MAX)).await;
    let bytes: usize = before.iter().map(|line| line.len() + 1).sum();
    let bytes = i64::try_from(bytes).unwrap();
    let log = (&*ACCOUNT, KIND);
    let pages = store.mergeable_pages(log, 3).await.unwrap();
    let ends: Vec<_> =
        pages.iter().map(|page| (page.first.seconds(), page.last.seconds())).collect();
    assert_eq!(ends, [(10, 11), (11, 12), (12, 13)]);
    assert!(merge(&store, 11, 20).await);
    assert!(!merge(&store, 11, 20).await, "they are merged already");
    assert_eq!(lines(&store).await, before);
    assert_eq!(store.log_pages(span(0, 99), Listing::Lines, 99).await.unwrap().len(), 12);
    let found = listed(&store, span(0, 99), 99, "large").await;
    assert_eq!(
        found.iter().filter(|(end, _)| *end <= 20).collect::<Vec<_>>(),
        [&(20, false), &(15, true)]
    );
    assert_eq!(size(bytes).await, 0);
    assert!(size(bytes - 1).await > 0, "the size is what it was");
    // A merge that fails changes nothing.
    let left = lines(&store).await;
    let ends = (Instant::EPOCH, Instant::from_seconds(99));
    let failed = store.merge_pages(log, ends, |_| Err(StoreError::Missing)).await;
    assert!(matches!(failed, Err(StoreError::Missing)), "{failed:?}");
    assert_eq!(lines(&store).await, left);
}

on_both_databases!(nodes_that_merge_at_once_keep_every_line_once);
async fn nodes_that_merge_at_once_keep_every_line_once(database: TestDatabase) {
    let store = opened(&database).await;
    let other = Store::open(&address(&database)).await.unwrap();
    for round in 0..10 {
        let begin = 100 * round;
        write(&store, (begin..begin + 20).map(|at| page(&[("a", at)], false))).await;
        let ((), one, two) = tokio::join!(
            write(&other, [page(&[("late", begin + 7)], false)]),
            merge(&store, begin, begin + 15),
            merge(&other, begin + 5, begin + 20),
        );
        assert!(one || two);
    }
    let all = lines(&store).await;
    assert_eq!(all.iter().filter(|line| line.starts_with("late")).count(), 10);
    assert_eq!(all.len(), 10 * 21);
    let bytes: usize = all.iter().map(|line| line.len() + 1).sum();
    let bytes = i64::try_from(bytes).unwrap();
    assert_eq!(trim(&store, (bytes, i64::MAX)).await, 0);
    assert!(trim(&store, (bytes - 1, i64::MAX)).await > 0);
}

on_both_databases!(logs_are_merged_once_they_are_large_or_old);
async fn logs_are_merged_once_they_are_large_or_old(database: TestDatabase) {
    let store = opened(&database).await;
    write(&store, [page(&[("a", 10)], false), page(&[("b", 20)], false)]).await;
    let mergeable = async |bytes, before| {
        let logs = store.mergeable_logs((bytes, Instant::from_seconds(before)), 9).await.unwrap();
        logs.len()
    };
    assert_eq!(mergeable(11, 10).await, 0);
    assert_eq!(mergeable(10, 10).await, 1, "large");
    assert_eq!(mergeable(11, 11).await, 1, "old");
    // The size of a page that did not count it is counted once it is merged.
    tamper(&database, "UPDATE log SET bytes = 0").await;
    tamper(&database, "UPDATE log_size SET bytes = 0").await;
    assert!(merge(&store, 0, 99).await);
    assert_eq!(mergeable(0, 99).await, 0);
    assert_eq!(trim(&store, (10, i64::MAX)).await, 0);
    assert_eq!(trim(&store, (9, i64::MAX)).await, 10);
}

on_both_databases!(a_page_that_reaches_across_an_instant_is_listed_there);
async fn a_page_that_reaches_across_an_instant_is_listed_there(database: TestDatabase) {
    let store = opened(&database).await;
    let hour = i64::try_from(PAGE_SPAN.as_secs()).unwrap();
    assert_eq!(PAGE_SPAN, Duration::from_hours(1));
    let long = page(&[("a", 0), ("b", hour)], true);
    write(&store, (1..50).map(|at| page(&[("a", at)], false)).chain([long])).await;
    for before in [1, 2, 49, hour] {
        let pages = listed(&store, span(0, before), 1, "a").await;
        assert_eq!(pages, [(hour, true)], "{before}");
    }
}
