use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use gatewright_policy::{Instant, Region};
use gatewright_store::{Author, Change};
use gatewright_testing::TestDatabase;
use serde_json::json;

use super::*;
use crate::engine::follow::new_installation;
use crate::model::document::Place;
use crate::sources::testing::StoppedClock;

const DECLARING: [&str; 2] = ["aa1-ovh", "bb2-ovh"];

fn author() -> Author {
    Author { actor: "test".to_owned(), ip: None, query_id: String::new(), at: Instant::EPOCH }
}

/// A database with two accounts.
async fn store() -> (TestDatabase, Store) {
    let database = TestDatabase::sqlite();
    let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
    store.installation(&new_installation(&Sources::system()).unwrap()).await.unwrap();
    for account in DECLARING {
        store.create_account(&AccountName::new(account), &author(), &[]).await.unwrap();
    }
    (database, store)
}

async fn write(store: &Store, account: &str, change: Change) {
    store.write(&AccountName::new(account), &author(), &[change]).await.unwrap();
}

async fn declare(store: &Store, account: &str, name: &str) {
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "x-iam-account": account,
        "paths": {"/open": {"get": {"x-iam-public": true}}},
    });
    let document = RawValue::from_string(document.to_string()).unwrap();
    let api = ApiDocument { document, created_at: Instant::EPOCH, updated_at: None };
    let owner = AccountName::new(account);
    let place = Place { region: Region::Eu, account: &owner, id: name };
    write(store, account, api.create(place, None).unwrap()).await;
}

fn names(live: &LiveCatalogue) -> Vec<String> {
    live.current().apis().into_keys().map(str::to_owned).collect()
}

#[tokio::test]
async fn one_account_that_cannot_be_read_keeps_no_other_from_being_published() {
    let (database, store) = store().await;
    let live = LiveCatalogue::open(&store, Catalogue::default(), &Sources::system()).await.unwrap();
    let cast = async |text: &str| {
        let of_second = "WHERE account = 'bb2-ovh' AND kind = 'api'";
        database
            .run(&format!("UPDATE object SET document = CAST(document AS {text}) {of_second}"))
            .await;
    };
    declare(&store, DECLARING[0], "first").await;
    declare(&store, DECLARING[1], "second").await;
    cast("BLOB").await;
    assert!(live.renew().await.is_err());
    assert_eq!(names(&live), ["first"]);
    // What the first takes back or declares is in force, however long the second cannot be read.
    write(&store, DECLARING[0], ApiDocument::delete("first")).await;
    assert!(live.renew().await.is_err());
    assert!(names(&live).is_empty());
    declare(&store, DECLARING[0], "third").await;
    assert!(live.renew().await.is_err());
    assert_eq!(names(&live), ["third"]);
    cast("TEXT").await;
    live.renew().await.unwrap();
    assert_eq!(names(&live), ["second", "third"]);
}

/// Polls a future so many times, and gives it up then; returns whether it ended.
async fn give_up_after(polls: usize, future: impl Future<Output = Result<(), IamError>>) -> bool {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|result| result.is_ok())
    })
    .await
}

#[tokio::test]
async fn what_was_read_is_published_also_where_a_renewal_is_given_up() {
    let (_database, store) = store().await;
    // Given up later and later, until it ends first.
    for polls in 0.. {
        let live =
            LiveCatalogue::open(&store, Catalogue::default(), &Sources::system()).await.unwrap();
        let new = DECLARING.map(|account| format!("{account}-{polls}"));
        for (account, name) in DECLARING.into_iter().zip(&new) {
            declare(&store, account, name).await;
        }
        let has_ended = give_up_after(polls, live.renew()).await;
        live.renew().await.unwrap();
        assert!(new.iter().all(|name| names(&live).contains(name)), "{polls}");
        if has_ended {
            return;
        }
    }
}

#[tokio::test]
async fn what_the_database_has_lost_is_forgotten_though_its_revision_is_given_out_again() {
    let (database, store) = store().await;
    let live = LiveCatalogue::open(&store, Catalogue::default(), &Sources::system()).await.unwrap();
    declare(&store, DECLARING[0], "lost").await;
    live.renew().await.unwrap();
    assert_eq!(names(&live), ["lost"]);
    // Another change has the same revision.
    let other = "01".repeat(32);
    let of_first = "account = 'aa1-ovh'";
    for statement in [
        format!("UPDATE object SET id = 'other' WHERE kind = 'api' AND {of_first}"),
        format!("UPDATE journal SET object = 'other', hash = X'{other}' WHERE {of_first}"),
        format!("UPDATE account SET head = X'{other}' WHERE name = 'aa1-ovh'"),
    ] {
        database.run(&statement).await;
    }
    live.renew().await.unwrap();
    assert_eq!(names(&live), ["other"]);
}

#[tokio::test]
async fn without_its_database_a_node_does_not_go_on_with_what_was_declared() {
    let (database, store) = store().await;
    declare(&store, DECLARING[0], "first").await;
    let (clock, second) = (StoppedClock::at(Duration::ZERO), Duration::from_secs(1));
    let live = LiveCatalogue::open(&store, Catalogue::default(), &clock.sources()).await.unwrap();
    database.run("ALTER TABLE account RENAME TO gone").await;
    live.demand_recent().await.unwrap();
    clock.pass(3 * second);
    live.demand_recent().await.unwrap();
    clock.pass(2 * second);
    live.demand_recent().await.unwrap_err();
    // Others that ask at the same time do not ask the database again.
    live.demand_recent().await.unwrap_err();
    database.run("ALTER TABLE gone RENAME TO account").await;
    live.demand_recent().await.unwrap_err();
    clock.pass(2 * second);
    live.demand_recent().await.unwrap();
    assert_eq!(names(&live), ["first"]);
}
