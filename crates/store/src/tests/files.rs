//! Tests of what happens to the files of an SQLite database beside a server.

use std::path::{Path, PathBuf};

use gatewright_policy::Revision;
use gatewright_testing::TestDatabase;

use crate::file_identity::is_newer_than_its_log;

use super::{ACCOUNT, address, author, create, opened, update};
use crate::{Address, Notice, ServerLock, Store, StoreError};

fn path(database: &TestDatabase) -> PathBuf {
    database.address.strip_prefix("sqlite:").unwrap().into()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    format!("{}{ending}", path.display()).into()
}

fn at(path: &Path) -> Address {
    Address::Sqlite(path.display().to_string())
}

fn remove_log(path: &Path) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

#[test]
fn one_server_at_a_time_has_a_database_file() {
    let database = TestDatabase::sqlite();
    let address = address(&database);
    let lock = ServerLock::acquire(&address).unwrap();
    let error = ServerLock::acquire(&address).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(lock);
    ServerLock::acquire(&address).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn one_server_at_a_time_has_a_database_file_by_whatever_name() {
    let database = TestDatabase::sqlite();
    let file = path(&database);
    let folder = tempfile_folder(&file, "elsewhere");
    let (hard, soft, early) =
        (folder.join("hard.db"), folder.join("soft.db"), folder.join("early.db"));
    // A symbolic link may be there before the file is.
    std::os::unix::fs::symlink(&file, &early).unwrap();
    let lock = ServerLock::acquire(&at(&early)).unwrap();
    assert!(file.exists());
    std::fs::hard_link(&file, &hard).unwrap();
    std::os::unix::fs::symlink(&file, &soft).unwrap();
    for name in [&file, &hard, &soft, &early] {
        let error = ServerLock::acquire(&at(name)).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{}: {error}", name.display());
    }
    // A command would keep a second log for the file beside the server's.
    let error = ServerLock::check_name(&at(&hard)).unwrap_err();
    assert!(matches!(error, StoreError::OtherName { .. }), "{error}");
    drop(lock);
    ServerLock::check_name(&at(&hard)).unwrap();
    ServerLock::acquire(&at(&hard)).unwrap();
}

fn tempfile_folder(file: &Path, name: &str) -> PathBuf {
    let folder = file.parent().unwrap().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
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
        assert!(store.trouble().unwrap().contains("removed"));
        assert!(store.revision(&ACCOUNT).await.is_err());
        assert!(store.open_replacement().await.unwrap());
        assert!(store.trouble().is_none());
        assert_eq!(store.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(2)));
        store.write(&ACCOUNT, &author(), &[create("p2", "two", "2")]).await.unwrap();
        // Another process reads the same.
        let other = Store::open(&address(&database)).await.unwrap();
        assert_eq!(other.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(3)));
    }
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
    assert!(matches!(error, StoreError::Replaced), "{error}");
    let log = std::fs::read(beside(&path(&database), "-wal")).unwrap();
    assert!(!log.is_empty());
    for _ in 0..2 {
        let error = store.open_replacement().await.unwrap_err();
        assert!(matches!(error, StoreError::OtherLog { .. }), "{error}");
        assert!(store.trouble().unwrap().contains("-wal"));
        assert!(store.revision(&ACCOUNT).await.is_err());
    }
    remove_log(&path(&database));
    assert!(store.open_replacement().await.unwrap());
    assert_eq!(store.revision(&ACCOUNT).await.unwrap(), None);
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_beside_a_log_that_does_not_fit_it_is_not_opened_and_left_as_it_is() {
    let database = TestDatabase::sqlite();
    opened(&database).await.close().await;
    let (file, log) = (path(&database), beside(&path(&database), "-wal"));
    let copy = std::fs::read(&file).unwrap();

    let store = Store::open(&address(&database)).await.unwrap();
    let text = "x".repeat(3_000);
    for number in 0..50 {
        let new = create(&format!("p{number}x"), &format!("n{number}"), &text);
        store.write(&ACCOUNT, &author(), &[new]).await.unwrap();
    }
    // What is there when the process ends at once: it is opened, and nothing is lost.
    let crashed = tempfile_folder(&file, "crashed").join("test.db");
    std::fs::copy(&file, &crashed).unwrap();
    std::fs::copy(&log, beside(&crashed, "-wal")).unwrap();
    let again = Store::open(&at(&crashed)).await.unwrap();
    assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(51)));
    // Neither is it where the database was written last.
    let moved = tempfile_folder(&file, "moved").join("test.db");
    std::fs::copy(&log, beside(&moved, "-wal")).unwrap();
    while !is_newer_than_its_log(moved.to_str().unwrap()) {
        std::fs::copy(&file, &moved).unwrap();
    }
    let again = Store::open(&at(&moved)).await.unwrap();
    assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(51)));

    // A copy of long ago has other pages where the log has its own.
    for number in 0..50 {
        let (id, name) = (format!("p{number}x"), format!("n{number}"));
        store.write(&ACCOUNT, &author(), &[update(&id, &name, &text, "y")]).await.unwrap();
    }
    store.close().await;
    let store = Store::open(&address(&database)).await.unwrap();
    for number in 0..20 {
        let new = create(&format!("q{number}"), &format!("m{number}"), &text);
        store.write(&ACCOUNT, &author(), &[new]).await.unwrap();
    }
    let restored = tempfile_folder(&file, "restored").join("test.db");
    std::fs::copy(&log, beside(&restored, "-wal")).unwrap();
    // The clock of a file system goes in steps.
    while !is_newer_than_its_log(restored.to_str().unwrap()) {
        std::fs::write(&restored, &copy).unwrap();
    }
    let error = Store::open(&at(&restored)).await.err().unwrap();
    assert!(matches!(error, StoreError::OtherLog { .. }), "{error}");
    assert!(std::fs::read(&restored).unwrap() == copy);
    remove_log(&restored);
    let again = Store::open(&at(&restored)).await.unwrap();
    assert_eq!(again.revision(&ACCOUNT).await.unwrap(), Some(Revision::new(1)));
}
