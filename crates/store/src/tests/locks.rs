//! Tests of the lock of a server on its database file.

use gatewright_testing::TestDatabase;

use super::files::{at, beside, path, tempfile_folder};
use super::{address, opened};
use crate::{Replacement, ServerLock, StoreError};

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
#[tokio::test]
async fn one_server_at_a_time_has_a_database_file_by_whatever_name() {
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
    let error = ServerLock::check_name(&at(&hard)).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherName { .. }), "{error}");
    drop(lock);
    ServerLock::check_name(&at(&hard)).await.unwrap();
    ServerLock::acquire(&at(&hard)).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_command_beside_a_server_that_has_the_file_not_open_is_told_so() {
    let database = TestDatabase::sqlite();
    let (file, address) = (path(&database), address(&database));
    let is_not_open = async || {
        let error = ServerLock::check_name(&address).await.unwrap_err();
        assert!(matches!(error, StoreError::NotOpen { .. }), "{error}");
    };
    let lock = ServerLock::acquire(&address).unwrap();
    is_not_open().await;
    let store = opened(&database).await;
    store.hold(lock).await.unwrap();
    ServerLock::check_name(&address).await.unwrap();
    // By a symbolic link it is the same name.
    let link = tempfile_folder(&file, "elsewhere").join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    ServerLock::check_name(&at(&link)).await.unwrap();

    std::fs::remove_file(beside(&file, "-wal")).unwrap();
    is_not_open().await;
    assert_eq!(store.open_replacement().await.unwrap(), Replacement::Same);
    ServerLock::check_name(&address).await.unwrap();

    let moved = beside(&file, "-moved");
    std::fs::rename(&file, &moved).unwrap();
    is_not_open().await;
    let elsewhere = TestDatabase::sqlite();
    opened(&elsewhere).await.close().await;
    std::fs::rename(path(&elsewhere), &file).unwrap();
    is_not_open().await;
    std::fs::rename(&moved, &file).unwrap();
    ServerLock::check_name(&address).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_second_lock_is_refused_and_does_not_end_the_first() {
    let database = TestDatabase::sqlite();
    let lock = ServerLock::acquire(&address(&database)).unwrap();
    let store = opened(&database).await;
    store.hold(lock).await.unwrap();
    let elsewhere = TestDatabase::sqlite();
    let other = ServerLock::acquire(&address(&elsewhere)).unwrap();
    store.hold(other).await.unwrap_err();
    let error = ServerLock::acquire(&address(&elsewhere)).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}
