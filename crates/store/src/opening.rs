//! Locks and checks a database file before it is opened.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;

use crate::address::Address;
use crate::error::StoreError;
use crate::file_identity::{beside, has_content, names};

/// Locks the opening of a database file, so that one process at a time migrates it.
///
/// SQLite cannot wait for the switch to its write-ahead log, and its migrations have no lock of
/// their own.
pub(crate) async fn lock_opening(address: &Address) -> Result<Option<File>, StoreError> {
    let Address::Sqlite(path) = address else {
        return Ok(None);
    };
    let path = beside(path, "-opening");
    let name = path.clone();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    let locked = locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    locked.map(Some).map_err(|source| StoreError::file(name, source))
}

/// Checks, before a file is opened, that it has one name, and creates it when it is missing.
pub(crate) fn check(path: &str) -> Result<(), StoreError> {
    if names(path) > 1 {
        return Err(StoreError::SeveralNames { path: path.to_owned() });
    }
    prepare(path)
}

/// Creates a database file when it is missing, for its owner alone. Fails beside a write-ahead log:
/// SQLite takes an empty file for a new database, and would delete the log.
pub(crate) fn prepare(path: &str) -> Result<(), StoreError> {
    // The log is looked at first: a process that creates a database writes the file before the log, so a
    // log without a file is never one that is being created.
    let has_log = has_content(&beside(path, "-wal"));
    let failed = |source| StoreError::file(path, source);
    let length = match std::fs::metadata(path) {
        Ok(metadata) => Some(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if has_log && length.unwrap_or_default() == 0 {
        return Err(StoreError::LogWithoutDatabase { path: path.to_owned() });
    }
    if length.is_none() {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(failed)?;
    }
    Ok(())
}
