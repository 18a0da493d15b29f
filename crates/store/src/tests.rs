//! Tests of the store on both databases.

use std::sync::{Arc, LazyLock};

use gatewright_policy::{AccountName, Instant, Revision};
use gatewright_testing::{TestDatabase, on_both_databases};
use sqlx::AssertSqlSafe;

use crate::database::Database;
use crate::error::BrokenChain;
use crate::postgres_pool::Pool;
use crate::{
    Act, ActivityBatch, Address, Author, Change, Content, CreationKey, HourlyCount, Kind, LastUsed,
    Listing, LogPage, LogSpan, PageListing, SealedKey, Store, StoreError, TIMEOUT, Taken, sql,
};

mod files;
mod following;
mod locks;
mod logs;

static ACCOUNT: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("aa1-ovh"));
static OTHER: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("bb2-ovh"));
static NOBODY: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("zz9-ovh"));

fn author() -> Author {
    Author {
        actor: "urn:v1:eu:identity:account:aa1-ovh".to_owned(),
        ip: Some("127.0.0.1".to_owned()),
        query_id: "q-1".to_owned(),
        at: Instant::from_seconds(1_700_000_000),
    }
}

fn content(name: &str, document: &str) -> Content {
    Content { name: Some(name.to_owned()), document: document.to_owned(), mentions: Vec::new() }
}

fn create(id: &str, name: &str, document: &str) -> Change {
    let act = Act::Create { content: content(name, document), secret: None };
    Change { kind: Kind::Policy, id: id.to_owned(), act }
}

fn update(id: &str, name: &str, from: &str, to: &str) -> Change {
    let act = Act::Update { from: from.to_owned(), content: content(name, to), secret: None };
    Change { kind: Kind::Policy, id: id.to_owned(), act }
}

fn delete(id: &str) -> Change {
    Change { kind: Kind::Policy, id: id.to_owned(), act: Act::Delete { from: None } }
}

fn address(database: &TestDatabase) -> Address {
    database.address.parse().unwrap()
}

async fn opened(database: &TestDatabase) -> Store {
    let store = Store::open(&address(database)).await.unwrap();
    store.create_account(&ACCOUNT, &author(), &[create("p0", "first", "{}")]).await.unwrap();
    store
}

/// Runs a statement that is not one of this crate's.
async fn tamper(database: &TestDatabase, text: &str) {
    match Database::open(&address(database), TIMEOUT).await.unwrap() {
        Database::Sqlite(file) => {
            let writer = &file.connections().writer;
            sqlx::query(AssertSqlSafe(text)).execute(writer).await.unwrap();
        }
        Database::Postgres(Pool { pool, .. }) => {
            sqlx::query(AssertSqlSafe(text)).execute(&pool).await.unwrap();
        }
    }
}

on_both_databases!(every_statement_is_understood);
async fn every_statement_is_understood(database: TestDatabase) {
    Store::open(&address(&database)).await.unwrap();
    for crate::statement::Statement { name, text } in sql::ALL {
        let prepared = match Database::open(&address(&database), TIMEOUT).await.unwrap() {
            Database::Sqlite(file) => {
                let mut connection = file.connections().writer.acquire().await.unwrap();
                sqlx::Executor::prepare(&mut *connection, sqlx::SqlStr::from_static(text))
                    .await
                    .map(drop)
            }
            Database::Postgres(Pool { pool, .. }) => {
                let mut connection = pool.acquire().await.unwrap();
                sqlx::Executor::prepare(&mut *connection, sqlx::SqlStr::from_static(text))
                    .await
                    .map(drop)
            }
        };
        assert!(prepared.is_ok(), "{name}: {prepared:?}");
    }
}

on_both_databases!(what_is_written_is_read);
async fn what_is_written_is_read(database: TestDatabase) {
    let store = opened(&database).await;
    let mut change = create("p1", "näme ' \" \u{1F980}", "{\"a\":\"ü\"}");
    if let Act::Create { secret, .. } = &mut change.act {
        *secret = Some(vec![0, 255, 7]);
    }
    store.write(&ACCOUNT, &author(), &[change]).await.unwrap();
    let object = store.object(&ACCOUNT, Kind::Policy, "p1").await.unwrap().unwrap();
    assert_eq!(object.name.as_deref(), Some("näme ' \" \u{1F980}"));
    assert_eq!(object.document, "{\"a\":\"ü\"}");
    assert_eq!(object.secret, Some(vec![0, 255, 7]));
    assert_eq!(object.created, Revision::new(2));
    let by_name =
        store.object_by_name(&ACCOUNT, Kind::Policy, "näme ' \" \u{1F980}").await.unwrap();
    assert_eq!(by_name, Some(object.clone()));
    assert_eq!(store.object_of_any_account(Kind::Policy, "p1").await.unwrap(), Some(object));
    assert_eq!(store.object(&NOBODY, Kind::Policy, "p1").await.unwrap(), None);
    assert_eq!(store.object(&ACCOUNT, Kind::Client, "p1").await.unwrap(), None);
}

on_both_databases!(names_differ_by_case_alike_on_both);
async fn names_differ_by_case_alike_on_both(database: TestDatabase) {
    let store = opened(&database).await;
    store.write(&ACCOUNT, &author(), &[create("p1", "FIRST", "{}")]).await.unwrap();
    let found = store.object_by_name(&ACCOUNT, Kind::Policy, "First").await.unwrap();
    assert_eq!(found, None);
}

on_both_databases!(the_journal_counts_without_gaps_and_holds_before_and_after);
async fn the_journal_counts_without_gaps_and_holds_before_and_after(database: TestDatabase) {
    let store = opened(&database).await;
    let changes = [create("p1", "one", "1"), create("p2", "two", "2")];
    store.write(&ACCOUNT, &author(), &changes).await.unwrap();
    store.write(&ACCOUNT, &author(), &[update("p1", "one", "1", "1b")]).await.unwrap();
    store.write(&ACCOUNT, &author(), &[delete("p2")]).await.unwrap();
    let journal = store.journal(&ACCOUNT, Revision::ZERO, 100).await.unwrap();
    let revisions: Vec<i64> = journal.iter().map(|entry| entry.revision.number()).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    assert_eq!(journal[3].before.as_deref(), Some("1"));
    assert_eq!(journal[3].after.as_deref(), Some("1b"));
    assert_eq!((journal[4].before.as_deref(), &journal[4].after), (Some("2"), &None));
    assert_eq!(journal[0].author, author());
    assert_eq!(store.verify_journal(&ACCOUNT).await.unwrap(), 5);
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(5)));
}

on_both_databases!(a_change_that_fails_changes_nothing);
async fn a_change_that_fails_changes_nothing(database: TestDatabase) {
    let store = opened(&database).await;
    let stale = [create("p1", "one", "1"), update("p0", "first", "other", "x")];
    let error = store.write(&ACCOUNT, &author(), &stale).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale));
    let missing = [create("p1", "one", "1"), delete("p9")];
    let error = store.write(&ACCOUNT, &author(), &missing).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing));
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(1)));
    assert_eq!(store.object(&ACCOUNT, Kind::Policy, "p1").await.unwrap(), None);
    assert_eq!(store.verify_journal(&ACCOUNT).await.unwrap(), 1);
}

on_both_databases!(an_identifier_and_a_name_are_taken_once);
async fn an_identifier_and_a_name_are_taken_once(database: TestDatabase) {
    let store = opened(&database).await;
    let write = async |account: &AccountName, change: Change| {
        store.write(account, &author(), &[change]).await.map(drop)
    };
    let error = write(&ACCOUNT, create("p0", "other", "{}")).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken(Taken::Id)), "{error}");
    let error = write(&ACCOUNT, create("p1", "first", "{}")).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken(Taken::Name)), "{error}");
    store.create_account(&OTHER, &author(), &[]).await.unwrap();
    let error = write(&OTHER, create("p0", "first", "{}")).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken(Taken::Id)), "{error}");
    write(&OTHER, create("p1", "first", "{}")).await.unwrap();
    let error = store.create_account(&ACCOUNT, &author(), &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken(Taken::Name)), "{error}");
    let error = write(&NOBODY, create("p3", "x", "{}")).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing), "{error}");
}

on_both_databases!(changes_made_at_once_follow_one_another);
async fn changes_made_at_once_follow_one_another(database: TestDatabase) {
    let store = Arc::new(opened(&database).await);
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for turn in 0..10 {
                let id = format!("p-{writer}-{turn}");
                store.write(&ACCOUNT, &author(), &[create(&id, &id, "{}")]).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(store.verify_journal(&ACCOUNT).await.unwrap(), 81);
}

on_both_databases!(a_text_with_a_nul_is_found_nowhere);
async fn a_text_with_a_nul_is_found_nowhere(database: TestDatabase) {
    let store = opened(&database).await;
    assert_eq!(store.object(&ACCOUNT, Kind::Policy, "p0\0").await.unwrap(), None);
    assert_eq!(store.object_of_any_account(Kind::Client, "\0").await.unwrap(), None);
}

on_both_databases!(lists_go_on_where_they_ended);
async fn lists_go_on_where_they_ended(database: TestDatabase) {
    let store = opened(&database).await;
    for number in 1..=5 {
        let id = format!("p{number}");
        store.write(&ACCOUNT, &author(), &[create(&id, &id, "{}")]).await.unwrap();
    }
    let first = store.objects_of_kind(&ACCOUNT, Kind::Policy, Revision::ZERO, 4).await.unwrap();
    let last = first.last().unwrap().created;
    let second = store.objects_of_kind(&ACCOUNT, Kind::Policy, last, 4).await.unwrap();
    let ids: Vec<&str> = first.iter().chain(&second).map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["p0", "p1", "p2", "p3", "p4", "p5"]);
    assert_eq!(store.objects(&ACCOUNT, Revision::ZERO, 100).await.unwrap().len(), 6);
    assert_eq!(store.ids_of_kind(&ACCOUNT, Kind::Policy).await.unwrap(), ids);
    assert!(store.ids_of_kind(&OTHER, Kind::Policy).await.unwrap().is_empty());
}

on_both_databases!(accounts_find_the_owners_of_what_names_them);
async fn accounts_find_the_owners_of_what_names_them(database: TestDatabase) {
    let store = opened(&database).await;
    let mut change = create("p1", "one", "1");
    let Act::Create { content: given, .. } = &mut change.act else { unreachable!() };
    given.mentions = vec![OTHER.clone()];
    store.write(&ACCOUNT, &author(), &[change]).await.unwrap();
    assert_eq!(store.accounts_mentioning(&OTHER).await.unwrap(), std::slice::from_ref(&*ACCOUNT));
    store.write(&ACCOUNT, &author(), &[update("p1", "one", "1", "2")]).await.unwrap();
    assert!(store.accounts_mentioning(&OTHER).await.unwrap().is_empty());
    let mut change = update("p1", "one", "2", "3");
    let Act::Update { content: given, .. } = &mut change.act else { unreachable!() };
    given.mentions = vec![OTHER.clone()];
    store.write(&ACCOUNT, &author(), &[change]).await.unwrap();
    store.write(&ACCOUNT, &author(), &[delete("p1")]).await.unwrap();
    assert!(store.accounts_mentioning(&OTHER).await.unwrap().is_empty());
}

on_both_databases!(a_journal_that_was_touched_no_longer_verifies);
async fn a_journal_that_was_touched_no_longer_verifies(database: TestDatabase) {
    let store = opened(&database).await;
    for number in 1..=3 {
        let id = format!("p{number}");
        store.write(&ACCOUNT, &author(), &[create(&id, &id, "{}")]).await.unwrap();
    }
    let broken = async || match store.verify_journal(&ACCOUNT).await.unwrap_err() {
        StoreError::Journal(broken) => broken,
        other => panic!("{other}"),
    };
    let account = || ACCOUNT.clone();
    tamper(&database, "UPDATE journal SET actor = 'another' WHERE revision = 2").await;
    assert_eq!(
        broken().await,
        BrokenChain::Altered { account: account(), revision: Revision::new(2) }
    );
    tamper(&database, "DELETE FROM journal WHERE revision = 2").await;
    assert_eq!(broken().await, BrokenChain::Gap { account: account(), revision: Revision::new(2) });
    tamper(&database, "DELETE FROM journal WHERE revision > 1").await;
    assert_eq!(broken().await, BrokenChain::End { account: account(), revision: Revision::new(1) });
}

on_both_databases!(a_hash_of_another_length_is_malformed);
async fn a_hash_of_another_length_is_malformed(database: TestDatabase) {
    let store = opened(&database).await;
    store.write(&ACCOUNT, &author(), &[create("p1", "one", "{}")]).await.unwrap();
    let is_malformed =
        |error: StoreError| assert!(matches!(error, StoreError::Malformed(_)), "{error}");
    tamper(&database, "UPDATE journal SET hash = substr(hash, 1, 8)").await;
    is_malformed(store.journal(&ACCOUNT, Revision::ZERO, 9).await.unwrap_err());
    is_malformed(store.position_at(&ACCOUNT, Revision::new(1)).await.unwrap_err());
    tamper(&database, "UPDATE account SET head = substr(head, 1, 8)").await;
    is_malformed(store.position(&ACCOUNT).await.unwrap_err());
    is_malformed(store.heads_of_kind(Kind::Policy).await.unwrap_err());
    is_malformed(store.write(&ACCOUNT, &author(), &[create("p2", "p2", "{}")]).await.unwrap_err());
}

on_both_databases!(a_newer_schema_is_refused_and_left_alone);
async fn a_newer_schema_is_refused_and_left_alone(database: TestDatabase) {
    opened(&database).await.close().await;
    tamper(
        &database,
        "INSERT INTO _sqlx_migrations
                (version, description, installed_on, success, checksum, execution_time)
                VALUES (9999, 'later', CURRENT_TIMESTAMP, TRUE, '', 0)",
    )
    .await;
    let error = Store::open(&address(&database)).await.err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("newer Gatewright"), "{error}");
}

on_both_databases!(a_broken_database_is_told_apart_from_an_unavailable_one);
async fn a_broken_database_is_told_apart_from_an_unavailable_one(database: TestDatabase) {
    let store = opened(&database).await;
    tamper(&database, "ALTER TABLE signing_key RENAME TO lost").await;
    let error = store.keys().await.unwrap_err();
    assert!(matches!(error, StoreError::Broken { statement: "KEYS", .. }), "{error:?}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("signing_key"));
    tamper(&database, "UPDATE object SET kind = 'teapot'").await;
    let error = store.objects(&ACCOUNT, Revision::ZERO, 9).await.unwrap_err();
    assert!(matches!(error, StoreError::Malformed(_)), "{error:?}");
    store.close().await;
    let error = store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

on_both_databases!(nodes_may_start_at_once);
async fn nodes_may_start_at_once(database: TestDatabase) {
    let opening = (0..16).map(|_| {
        let address = address(&database);
        tokio::spawn(async move { Store::open(&address).await.map(drop) })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

/// Lists the pages of a log that have lines before an instant.
async fn list(
    store: &Store,
    account: &AccountName,
    (kind, before): (&str, Instant),
    most: i64,
) -> Vec<PageListing> {
    let span = LogSpan { account, kind, from: Instant::MIN, before };
    store.log_pages(span, Listing::Lines, most).await.unwrap()
}

on_both_databases!(what_happened_is_read_back_from_its_end_and_forgotten_by_age);
async fn what_happened_is_read_back_from_its_end_and_forgotten_by_age(database: TestDatabase) {
    let store = opened(&database).await;
    let at = Instant::from_seconds;
    let page = |first, last, kind: &str| LogPage {
        account: ACCOUNT.clone(),
        kind: kind.to_owned(),
        first: at(first),
        last: at(last),
        lines: format!("{first}\n{last}\n"),
        terms: None,
    };
    let hourly_count = |hour, count| HourlyCount {
        account: ACCOUNT.clone(),
        hour,
        what: "token".to_owned(),
        count,
    };
    let usage =
        |last| LastUsed { account: ACCOUNT.clone(), subject: "one".to_owned(), last: at(last) };
    let record = ActivityBatch {
        pages: vec![
            page(1, 4, "call"),
            page(3, 6, "call"),
            page(7, 8, "call"),
            page(1, 9, "token"),
        ],
        hourly_counts: vec![hourly_count(1, 2), hourly_count(2, 5)],
        last_used: vec![usage(8)],
    };
    store.record_activity(&record).await.unwrap();
    let again = ActivityBatch {
        pages: vec![],
        hourly_counts: vec![hourly_count(2, 5)],
        last_used: vec![usage(7)],
    };
    store.record_activity(&again).await.unwrap();
    let back = async |before, most| {
        let pages = list(&store, &ACCOUNT, ("call", before), most).await;
        pages
            .into_iter()
            .map(|page| (page.first.seconds(), page.last.seconds()))
            .collect::<Vec<_>>()
    };
    assert_eq!(back(Instant::MAX, 2).await, [(7, 8), (3, 6)]);
    assert_eq!(back(at(5), 9).await, [(3, 6), (1, 4)], "one reaches across, one lies before");
    assert_eq!(back(at(5), 1).await, [(3, 6)], "the one that ends last comes first");
    assert_eq!(store.hourly_counts(&ACCOUNT, 2).await.unwrap(), [hourly_count(2, 10)]);
    assert_eq!(store.last_used(&ACCOUNT).await.unwrap(), [usage(8)], "use is never earlier");
    assert!(store.delete_old_lines(at(7)).await.unwrap());
    assert!(!store.delete_old_lines(at(7)).await.unwrap());
    store.delete_old_counts(2).await.unwrap();
    assert_eq!(back(Instant::MAX, 9).await, [(7, 8)]);
    assert_eq!(store.hourly_counts(&ACCOUNT, 0).await.unwrap(), [hourly_count(2, 10)]);
    assert!(list(&store, &NOBODY, ("call", Instant::MAX), 9).await.is_empty());
}

on_both_databases!(of_two_creations_under_one_key_the_second_is_refused_whole);
async fn of_two_creations_under_one_key_the_second_is_refused_whole(database: TestDatabase) {
    let store = opened(&database).await;
    let (author, since) = (author(), author().at);
    let key = |key: &str, most| CreationKey {
        key: key.to_owned(),
        account: ACCOUNT.clone(),
        request: "r".to_owned(),
        since,
        most,
    };
    let write = async |id: &str, author: &Author, key: &CreationKey| {
        store.write_once(&ACCOUNT, author, &[create(id, id, "{}")], key).await
    };
    let made = write("a", &author, &key("k", 2)).await.unwrap();
    let (creation, entry) = store.creation("k", since).await.unwrap().unwrap();
    assert_eq!((&*creation.request, &entry), ("r", &made[0]));
    let revision = store.revision(&ACCOUNT).await.unwrap();
    // Even where its name is taken, the key is what it fails by.
    for id in ["a", "b"] {
        let again = write(id, &author, &key("k", 2)).await;
        assert!(matches!(again, Err(StoreError::KeyInUse)), "{again:?}");
    }
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), revision);
    // A creation that fails leaves its key free.
    let taken = write("a", &author, &key("l", 2)).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
    write("b", &author, &key("l", 2)).await.unwrap();
    let more = write("c", &author, &key("m", 2)).await;
    assert!(matches!(more, Err(StoreError::TooManyKeys(2))), "{more:?}");
    // Keys that are too old count no more, and are free.
    let since = since.saturating_add(std::time::Duration::from_secs(1));
    let later = Author { at: since, ..author.clone() };
    assert!(store.creation("k", since).await.unwrap().is_none());
    write("c", &later, &CreationKey { since, ..key("k", 2) }).await.unwrap();
    assert!(store.creation("l", Instant::EPOCH).await.unwrap().is_none());
    store
        .delete_old_creations(since.saturating_add(std::time::Duration::from_secs(1)))
        .await
        .unwrap();
    assert!(store.creation("k", Instant::EPOCH).await.unwrap().is_none());
}

/// A page of a log of so many bytes.
fn page(account: &AccountName, kind: &str, at: i64, bytes: usize) -> LogPage {
    LogPage {
        account: account.clone(),
        kind: kind.to_owned(),
        first: Instant::from_seconds(at),
        last: Instant::from_seconds(at),
        lines: "x".repeat(bytes),
        terms: None,
    }
}

/// Trims the logs to their sizes; returns the number of bytes that were deleted.
async fn trim(store: &Store, sizes: (i64, i64)) -> i64 {
    let mut bytes = 0;
    while let Some(trimmed) = store.trim_logs(sizes).await.unwrap() {
        bytes += trimmed.bytes;
    }
    bytes
}

on_both_databases!(logs_are_trimmed_the_oldest_and_the_largest_first);
async fn logs_are_trimmed_the_oldest_and_the_largest_first(database: TestDatabase) {
    let store = opened(&database).await;
    let other = AccountName::new("bb2-ovh");
    store.create_account(&other, &author(), &[]).await.unwrap();
    let noisy = (0..50).map(|at| page(&ACCOUNT, "token", at, 100));
    let calls = (0..10).map(|at| page(&ACCOUNT, "call", at, 100));
    let quiet = (0..5).map(|at| page(&other, "token", at, 100));
    let pages = noisy.chain(calls).chain(quiet).collect();
    let batch = ActivityBatch { pages, ..ActivityBatch::default() };
    store.record_activity(&batch).await.unwrap();
    let left = async |account: &AccountName, kind: &str| {
        let pages = list(&store, account, (kind, Instant::MAX), 100).await;
        (pages.len(), pages.iter().map(|page| page.last.seconds()).min())
    };
    assert_eq!(trim(&store, (10_000, 10_000)).await, 0);
    assert_eq!(trim(&store, (3_000, 10_000)).await, 2_000);
    assert_eq!(left(&ACCOUNT, "token").await, (30, Some(20)), "the oldest go first");
    assert_eq!(trim(&store, (10_000, 4_000)).await, 500);
    assert_eq!(left(&ACCOUNT, "token").await, (25, Some(25)), "the largest log goes first");
    assert_eq!(trim(&store, (900, 10_000)).await, 1_600 + 100);
    assert_eq!(left(&ACCOUNT, "call").await, (9, Some(1)), "each log has its own size");
    assert_eq!(left(&other, "token").await, (5, Some(0)));
    // What is deleted for its age counts no longer.
    while store.delete_old_lines(Instant::MAX).await.unwrap() {}
    store.record_activity(&batch).await.unwrap();
    assert_eq!(trim(&store, (5_000, 6_500)).await, 0);
    assert_eq!(trim(&store, (5_000, 6_400)).await, 100);
}

on_both_databases!(each_step_of_a_deletion_is_small);
async fn each_step_of_a_deletion_is_small(database: TestDatabase) {
    const MIB: i64 = 1024 * 1024;
    let store = opened(&database).await;
    let pages = (0..40).map(|at| page(&ACCOUNT, "call", at, 1024 * 1024)).collect();
    store.record_activity(&ActivityBatch { pages, ..ActivityBatch::default() }).await.unwrap();
    let trimmed = store.trim_logs((0, i64::MAX)).await.unwrap().unwrap();
    assert_eq!(
        (trimmed.account, &*trimmed.kind, trimmed.bytes),
        (ACCOUNT.clone(), "call", 16 * MIB)
    );
    assert!(store.delete_old_lines(Instant::MAX).await.unwrap());
    let left = list(&store, &ACCOUNT, ("call", Instant::MAX), 100).await.len();
    assert_eq!(left, 40 - 16 - 16);
}

on_both_databases!(two_nodes_that_delete_the_same_lines_count_them_once);
async fn two_nodes_that_delete_the_same_lines_count_them_once(database: TestDatabase) {
    let store = opened(&database).await;
    let other = Store::open(&address(&database)).await.unwrap();
    for at in 10..30 {
        let old = page(&ACCOUNT, "call", 1, 100);
        let new = page(&ACCOUNT, "call", at, 100);
        let batch = ActivityBatch { pages: vec![old, new], ..ActivityBatch::default() };
        store.record_activity(&batch).await.unwrap();
        let before = Instant::from_seconds(2);
        let (a, b) = tokio::join!(store.delete_old_lines(before), other.delete_old_lines(before));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(trim(&store, (2_000, i64::MAX)).await, 0);
    assert_eq!(trim(&store, (1_999, i64::MAX)).await, 100);
}

on_both_databases!(keys_are_kept_in_order);
async fn keys_are_kept_in_order(database: TestDatabase) {
    let store = Store::open(&address(&database)).await.unwrap();
    for (id, created) in [("b", 2), ("a", 1)] {
        let key = SealedKey {
            id: id.to_owned(),
            algorithm: "ES256".to_owned(),
            sealed: vec![1, 2, 3],
            created: Instant::from_seconds(created),
        };
        store.add_key(&key).await.unwrap();
    }
    let ids: Vec<String> = store.keys().await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, ["a", "b"]);
    store.delete_key("a").await.unwrap();
    let ids: Vec<String> = store.keys().await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn an_address_is_sqlite_or_postgres_and_never_shows_its_password() {
    assert!("mysql://x".parse::<Address>().is_err());
    assert!("sqlite:".parse::<Address>().is_err());
    let address: Address = "postgres://me:hunter2@db.example:5432/gate".parse().unwrap();
    assert_eq!(format!("{address:?}"), "postgres://db.example:5432/gate");
}
