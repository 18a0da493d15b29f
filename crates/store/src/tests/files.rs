//! Tests of what happens to the files of an SQLite database beside a server.

use std::path::{Path, PathBuf};

use gatewright_policy::Revision;
use gatewright_testing::TestDatabase;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::{ACCOUNT, address, author, create, opened};
use crate::{Address, Notice, Replacement, ServerLock, Store, StoreError};

pub(super) fn path(database: &TestDatabase) -> PathBuf {
    database.address.strip_prefix("sqlite:").unwrap().into()
}

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    format!("{}{ending}", path.display()).into()
}

pub(super) fn at(path: &Path) -> Address {
    Address::Sqlite(path.display().to_string())
}

pub(super) fn tempfile_folder(file: &Path, name: &str) -> PathBuf {
    let folder = file.parent().unwrap().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

#[tokio::test]
async fn a_log_without_its_database_is_left_alone() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    let file = path(&database);
    let crashed = tempfile_folder(&file, "crashed").join("test.db");
    let log = beside(&crashed, "-wal");
    std::fs::copy(beside(&file, "-wal"), &log).unwrap();
    let content = std::fs::read(&log).unwrap();
    assert!(!content.is_empty());
    let is_refused = async || {
        let error = Store::open(&at(&crashed)).await.err().unwrap();
        assert!(matches!(error, StoreError::LogWithoutDatabase { .. }), "{error}");
        let error = ServerLock::acquire(&at(&crashed)).unwrap_err();
        assert!(matches!(error, StoreError::LogWithoutDatabase { .. }), "{error}");
        assert!(std::fs::read(&log).unwrap() == content);
    };
    is_refused().await;
    assert!(!crashed.exists());
    std::fs::write(&crashed, "").unwrap();
    is_refused().await;
    std::fs::copy(&file, &crashed).unwrap();
    let again = Store::open(&at(&crashed)).await.unwrap();
    assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(1)));
    store.close().await;
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_said_to_be_locked() {
    let database = TestDatabase::sqlite();
    opened(&database).await.close().await;
    let options = SqliteConnectOptions::new().filename(path(&database));
    let mut other = options.connect().await.unwrap();
    sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE other (x)")
        .execute(&mut other)
        .await
        .unwrap();
    let brief = std::time::Duration::from_millis(50);
    let error = Store::open_within(&address(&database), brief).await.err().unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains("another program has locked it"), "{error}");
    other.close().await.unwrap();
    Store::open(&address(&database)).await.unwrap();
}

#[test]
fn no_error_about_a_log_says_to_remove_it() {
    let path = || "gatewright.db".to_owned();
    for error in [
        StoreError::LogWithoutDatabase { path: path() },
        StoreError::OtherLog { path: path() },
        StoreError::Replaced { path: path() },
        StoreError::NotOpen { path: path() },
    ] {
        let text = error.to_string();
        assert!(!text.contains("remove ") && !text.contains("delete"), "{text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_several_names_is_not_opened() {
    let database = TestDatabase::sqlite();
    opened(&database).await.close().await;
    let other = beside(&path(&database), "-other");
    std::fs::hard_link(path(&database), &other).unwrap();
    let error = Store::open(&address(&database)).await.err().unwrap();
    assert!(matches!(error, StoreError::SeveralNames { .. }), "{error}");
    std::fs::remove_file(other).unwrap();
    Store::open(&address(&database)).await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_outlives_the_removal_of_the_log() {
    for endings in [&["-wal"][..], &["-shm"], &["-wal", "-shm"]] {
        let database = TestDatabase::sqlite();
        let store = opened(&database).await;
        super::following::founded(&store, crate::Generation::new(1)).await;
        let (mut sender, mut listener) = store.listen("n1").await.unwrap();
        sender.send(1).await.unwrap();
        assert_eq!(listener.next().await.unwrap(), Notice::Heartbeat(1));
        store.write(&ACCOUNT, &author(), &[create("p1", "one", "1")]).await.unwrap();
        for ending in endings {
            std::fs::remove_file(beside(&path(&database), ending)).unwrap();
        }
        let error =
            store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap_err();
        assert!(matches!(error, StoreError::LogRemoved { .. }), "{error}");
        sender.send(2).await.unwrap();
        while let Ok(notice) = listener.next().await {
            assert!(matches!(notice, Notice::Changed(_)), "{notice:?}");
        }
        assert!(store.file_error().unwrap().contains("removed"));
        assert!(store.revision(&ACCOUNT).await.is_err());
        assert_eq!(store.open_replacement().await.unwrap(), Replacement::Same);
        assert!(store.file_error().is_none());
        assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(2)));
        store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap();
        // Another process reads the same.
        let other = Store::open(&address(&database)).await.unwrap();
        assert_eq!(other.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(3)));
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_saved_before_the_file_is_opened_anew() {
    for endings in [&["-wal"][..], &["-shm"], &["-wal", "-shm"]] {
        let database = TestDatabase::sqlite();
        let store = opened(&database).await;
        store.write(&ACCOUNT, &author(), &[create("p1", "one", "1")]).await.unwrap();
        for ending in endings {
            std::fs::remove_file(beside(&path(&database), ending)).unwrap();
        }
        // No listener has noticed.
        assert_eq!(store.open_replacement().await.unwrap(), Replacement::Same);
        assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(2)));
        store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap();
        store.close().await;
        let again = Store::open(&address(&database)).await.unwrap();
        assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(3)));
    }
}

#[tokio::test]
async fn a_file_that_was_moved_and_put_back_is_opened_anew() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    let moved = beside(&path(&database), "-moved");
    std::fs::rename(path(&database), &moved).unwrap();
    let error = store.open_replacement().await.unwrap_err();
    assert!(matches!(error, StoreError::LogWithoutDatabase { .. }), "{error}");
    assert!(store.file_error().unwrap().contains("put the database back"));
    assert!(store.revision(&ACCOUNT).await.is_err());
    std::fs::rename(&moved, path(&database)).unwrap();
    assert_eq!(store.open_replacement().await.unwrap(), Replacement::Same);
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(1)));
}

#[tokio::test]
async fn a_database_that_is_put_beside_the_log_of_another_is_not_opened() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    let (mut sender, mut listener) = store.listen("n1").await.unwrap();
    let elsewhere = TestDatabase::sqlite();
    Store::open(&address(&elsewhere)).await.unwrap().close().await;
    std::fs::rename(path(&elsewhere), path(&database)).unwrap();
    let _ = sender.send(1).await;
    let error = listener.next().await.unwrap_err();
    assert!(matches!(error, StoreError::Replaced { .. }), "{error}");
    let log = std::fs::read(beside(&path(&database), "-wal")).unwrap();
    assert!(!log.is_empty());
    for _ in 0..2 {
        let error = store.open_replacement().await.unwrap_err();
        assert!(matches!(error, StoreError::OtherLog { .. }), "{error}");
        assert!(store.file_error().unwrap().contains("-wal"));
        assert!(store.revision(&ACCOUNT).await.is_err());
    }
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&path(&database), ending));
    }
    assert_eq!(store.open_replacement().await.unwrap(), Replacement::Other);
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), None);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let database = TestDatabase::sqlite();
    let _store = opened(&database).await;
    for ending in ["", "-wal"] {
        let mode = std::fs::metadata(beside(&path(&database), ending)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{ending}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_crash() {
    let database = TestDatabase::sqlite();
    let store = opened(&database).await;
    store.write(&ACCOUNT, &author(), &[create("p1", "one", "1")]).await.unwrap();
    // What is there when the process ends at once, whichever of the two was touched last.
    for (number, endings) in [["", "-wal"], ["-wal", ""]].iter().enumerate() {
        let crashed = tempfile_folder(&path(&database), &number.to_string()).join("test.db");
        for ending in endings {
            let to = beside(&crashed, ending);
            std::fs::copy(beside(&path(&database), ending), to).unwrap();
        }
        let again = Store::open(&at(&crashed)).await.unwrap();
        assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(2)));
    }
    store.close().await;
}
