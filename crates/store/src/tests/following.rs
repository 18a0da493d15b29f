//! Tests of notices, heartbeats, positions, generations and the lock of a server.

use gatewright_policy::Revision;
use gatewright_testing::{TestDatabase, on_both_databases};

use super::{ACCOUNT, NOBODY, OTHER, address, author, create, opened, tamper};
use crate::{
    ChangeNotice, Entry, Generation, Installation, Kind, Notice, Position, Replacement, SealedKey,
    ServerLock, Since, Store, StoreError,
};

fn changed(entry: &Entry) -> Notice {
    let hash =
        Position { account: entry.account.clone(), revision: entry.revision, hash: entry.hash }
            .short_hash();
    Notice::Changed(ChangeNotice {
        account: entry.account.clone(),
        revision: entry.revision,
        hash,
        resources: false,
        apis: false,
    })
}

const FIRST: Generation = Generation::new(1);
const SECOND: Generation = Generation::new(2);

pub(super) async fn founded(store: &Store, generation: Generation) -> Generation {
    let new = Installation { id: "d".to_owned(), generation };
    store.installation(&new).await.unwrap().generation
}

on_both_databases!(a_heartbeat_is_heard_after_the_changes_before_it);
async fn a_heartbeat_is_heard_after_the_changes_before_it(database: TestDatabase) {
    let store = opened(&database).await;
    founded(&store, FIRST).await;
    let (mut sender, mut listener) = store.listen("n1").await.unwrap();
    let other = Store::open(&address(&database)).await.unwrap();
    let (mut other_sender, _) = other.listen("n2").await.unwrap();
    let mut expected = Vec::new();
    for revision in 2..5 {
        let id = format!("p{revision}");
        let written = other.write(&ACCOUNT, &author(), &[create(&id, &id, "1")]).await.unwrap();
        expected.push(changed(&written[0]));
    }
    other_sender.send(1).await.unwrap();
    assert_eq!(sender.send(7).await.unwrap().generation, FIRST);
    for notice in expected {
        assert_eq!(listener.next().await.unwrap(), notice);
    }
    assert_eq!(listener.next().await.unwrap(), Notice::Heartbeat(7));
}

on_both_databases!(every_heartbeat_reads_which_keys_there_are);
async fn every_heartbeat_reads_which_keys_there_are(database: TestDatabase) {
    let store = opened(&database).await;
    founded(&store, FIRST).await;
    let (mut sender, _listener) = store.listen("n1").await.unwrap();
    let before = sender.send(1).await.unwrap();
    let key = SealedKey {
        id: "a".to_owned(),
        algorithm: "ES256".to_owned(),
        sealed: vec![1],
        created: gatewright_policy::Instant::from_seconds(5),
    };
    store.add_key(&key).await.unwrap();
    let after = sender.send(2).await.unwrap();
    assert_eq!((after.keys, after.newest_key), (before.keys + 1, 5_000_000));
}

on_both_databases!(entries_of_several_accounts_are_read_in_one_statement);
async fn entries_of_several_accounts_are_read_in_one_statement(database: TestDatabase) {
    let store = opened(&database).await;
    store.create_account(&OTHER, &author(), &[create("q0", "first", "{}")]).await.unwrap();
    let mut change = create("p1", "one", "1");
    change.kind = Kind::Client;
    if let crate::Act::Create { secret, .. } = &mut change.act {
        *secret = Some(vec![7]);
    }
    let written = store.write(&ACCOUNT, &author(), &[change]).await.unwrap();
    let first = store.journal(&ACCOUNT, Revision::ZERO, 1).await.unwrap().remove(0);
    let here = Position { account: ACCOUNT.clone(), revision: Revision::new(1), hash: first.hash };
    let positions = [here.clone(), Position::origin(&OTHER), Position::origin(&NOBODY)];
    let mut since = store.journals_since(&positions).await.unwrap();
    let Since::Entries { entries, .. } = since.remove(&*ACCOUNT).unwrap() else {
        panic!("another past")
    };
    assert_eq!(entries, [(written[0].clone(), Some(vec![7]))]);
    assert!(here.is_followed_by(&entries[0].0));
    let Since::Entries { entries, .. } = since.remove(&*OTHER).unwrap() else {
        panic!("another past")
    };
    assert_eq!(entries.len(), 1);
    let Since::Entries { entries, .. } = since.remove(&*NOBODY).unwrap() else {
        panic!("another past")
    };
    assert!(entries.is_empty());
}

on_both_databases!(a_position_in_another_past_is_told_apart);
async fn a_position_in_another_past_is_told_apart(database: TestDatabase) {
    let store = opened(&database).await;
    let last = store.write(&ACCOUNT, &author(), &[create("p1", "one", "1")]).await.unwrap();
    let reached =
        Position { account: ACCOUNT.clone(), revision: Revision::new(2), hash: last[0].hash };
    let missing = Position { revision: Revision::new(3), ..reached.clone() };
    let other = Position { hash: [1; 32], ..reached.clone() };
    let gone = Position { account: NOBODY.clone(), ..reached.clone() };
    for (position, same) in
        [(reached.clone(), true), (missing, false), (other, false), (gone, false)]
    {
        let since = store.journals_since(std::slice::from_ref(&position)).await.unwrap();
        let since = &since[&position.account];
        assert_eq!(matches!(since, Since::Entries { .. }), same, "{position:?}");
    }
    // An entry that does not continue the chain counts as another past as well.
    store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap();
    tamper(&database, "UPDATE journal SET object = 'px' WHERE revision = 3").await;
    let since = store.journals_since(std::slice::from_ref(&reached)).await.unwrap();
    assert!(matches!(since[&*ACCOUNT], Since::OtherPast));
}

on_both_databases!(an_account_that_has_more_entries_says_so_and_the_others_are_left_out);
async fn an_account_that_has_more_entries_says_so_and_the_others_are_left_out(
    database: TestDatabase,
) {
    let store = opened(&database).await;
    store.create_account(&OTHER, &author(), &[create("q0", "first", "{}")]).await.unwrap();
    let many: Vec<_> = (1..1_100)
        .map(|number| create(&format!("p{number}"), &format!("n{number}"), "1"))
        .collect();
    store.write(&ACCOUNT, &author(), &many).await.unwrap();
    let since = store
        .journals_since(&[Position::origin(&ACCOUNT), Position::origin(&OTHER)])
        .await
        .unwrap();
    let Since::Entries { entries, is_whole } = &since[&*ACCOUNT] else { panic!("another past") };
    assert_eq!((entries.len(), *is_whole), (1_000, false));
    assert!(!since.contains_key(&*OTHER));
    let last = &entries[999].0;
    let reached = Position { account: ACCOUNT.clone(), revision: last.revision, hash: last.hash };
    let since = store.journals_since(std::slice::from_ref(&reached)).await.unwrap();
    let Since::Entries { entries, is_whole } = &since[&*ACCOUNT] else { panic!("another past") };
    assert_eq!((entries.len(), *is_whole), (100, true));
}

on_both_databases!(a_generation_is_begun_once_for_all_nodes);
async fn a_generation_is_begun_once_for_all_nodes(database: TestDatabase) {
    let store = opened(&database).await;
    assert_eq!(founded(&store, FIRST).await, FIRST);
    assert_eq!(founded(&store, SECOND).await, FIRST);
    assert_eq!(store.begin_generation(FIRST, SECOND).await.unwrap(), SECOND);
    assert_eq!(store.begin_generation(FIRST, Generation::new(3)).await.unwrap(), SECOND);
}

#[tokio::test]
async fn a_database_that_was_restored_elsewhere_begins_a_generation_and_a_restart_does_not() {
    let Some(database) = TestDatabase::postgres_if_any().await else { return };
    let store = opened(&database).await;
    assert_eq!(founded(&store, FIRST).await, FIRST);
    assert_eq!(founded(&store, SECOND).await, FIRST);
    // As a dump that is restored: what it holds is the same, and the table another.
    for restored in [
        "CREATE TABLE restored (LIKE installation INCLUDING ALL)",
        "INSERT INTO restored SELECT * FROM installation",
        "DROP TABLE installation",
        "ALTER TABLE restored RENAME TO installation",
    ] {
        tamper(&database, restored).await;
    }
    assert_eq!(founded(&store, SECOND).await, SECOND);
    assert_eq!(founded(&store, FIRST).await, SECOND);
    // As a replica that was promoted.
    tamper(&database, "UPDATE installation SET place = REPLACE(place, '/0', '/1')").await;
    assert_eq!(founded(&store, FIRST).await, FIRST);
}

#[tokio::test]
async fn a_file_that_was_restored_while_no_server_ran_is_told_by_the_last_change() {
    let database = TestDatabase::sqlite();
    let path = database.address.strip_prefix("sqlite:").unwrap().to_owned();
    let copy = format!("{path}.copy");
    let started = async || {
        let lock = ServerLock::acquire(&address(&database)).unwrap();
        let store = Store::open(&address(&database)).await.unwrap();
        let found = store.hold(lock).await.unwrap();
        (store, found)
    };
    opened(&database).await.close().await;
    let (store, found) = started().await;
    assert_eq!(found, Replacement::None, "there is no note yet");
    let write = async |store: &Store, id: &str| {
        store.write(&ACCOUNT, &author(), &[create(id, id, "1")]).await.unwrap();
    };
    write(&store, "p1").await;
    tamper(&database, &format!("VACUUM INTO '{copy}'")).await;
    write(&store, "p2").await;
    store.close().await;
    drop(store);
    let (store, found) = started().await;
    assert_eq!(found, Replacement::None, "a restart loses nothing");
    store.close().await;
    drop(store);
    // The copy lacks the second change. Another takes its revision, before a server runs.
    std::fs::copy(&copy, &path).unwrap();
    let command = Store::open(&address(&database)).await.unwrap();
    write(&command, "p3").await;
    command.close().await;
    let (store, found) = started().await;
    assert_eq!(found, Replacement::Other);
    store.close().await;
    drop(store);
    let (store, found) = started().await;
    assert_eq!(found, Replacement::Other, "it is told until a new generation has begun");
    store.forget_last_change();
    store.close().await;
    drop(store);
    let (_store, found) = started().await;
    assert_eq!(found, Replacement::None);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_noticed_and_opened_anew() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    founded(&store, FIRST).await;
    let path = database.address.strip_prefix("sqlite:").unwrap().to_owned();
    let (mut sender, mut listener) = store.listen("n1").await.unwrap();
    sender.send(1).await.unwrap();
    assert_eq!(listener.next().await.unwrap(), Notice::Heartbeat(1));

    let elsewhere = TestDatabase::sqlite();
    let other = Store::open(&address(&elsewhere)).await.unwrap();
    founded(&other, SECOND).await;
    other.close().await;
    let copy = elsewhere.address.strip_prefix("sqlite:").unwrap();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{end}"));
    }
    std::fs::rename(copy, &path).unwrap();
    let _ = sender.send(2).await;
    let error = listener.next().await.unwrap_err();
    assert!(matches!(error, StoreError::Replaced { .. }), "{error}");
    assert!(store.revision(&ACCOUNT).await.is_err(), "the old file must not answer");
    assert_eq!(store.open_replacement().await.unwrap(), Replacement::Other);
    assert_eq!(store.open_replacement().await.unwrap(), Replacement::None);

    let (mut sender, _listener) = store.listen("n1").await.unwrap();
    assert_eq!(sender.send(3).await.unwrap().generation, SECOND);
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_lost_changes_is_noticed_even_where_their_rows_are_given_out_again() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    founded(&store, FIRST).await;
    store.write(&ACCOUNT, &author(), &[create("p1", "one", "1")]).await.unwrap();
    let (mut sender, mut listener) = store.listen("n1").await.unwrap();
    for lost in [
        "DELETE FROM object WHERE created = 2",
        "DELETE FROM journal WHERE revision = 2",
        "UPDATE account SET revision = 1, head = (SELECT hash FROM journal WHERE revision = 1)",
    ] {
        tamper(&database, lost).await;
    }
    store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap();
    sender.send(1).await.unwrap();
    let error = listener.next().await.unwrap_err();
    assert!(matches!(error, StoreError::LostChanges), "{error}");
}
