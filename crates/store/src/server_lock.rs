//! The lock of a server on its database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::address::Address;
use crate::error::StoreError;

/// Holds the lock of the one server on a database file.
///
/// The system releases it when the process ends, however it ends. It is seen by every process on
/// the machine, in whichever container, that reaches the folder of the file.
#[derive(Debug)]
pub struct ServerLock {
    _file: Option<File>,
}

impl ServerLock {
    /// Locks the database for a server; fails with [`StoreError::InUse`] while another server has
    /// it. PostgreSQL serves many, and needs no lock.
    pub fn acquire(address: &Address) -> Result<Self, StoreError> {
        let Address::Sqlite(path) = address else {
            return Ok(Self { _file: None });
        };
        let failed = |error| StoreError::failed("LOCK", sqlx::Error::Io(error));
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(lock_path(Path::new(path)))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.clone() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Returns the path of the lock: beside the file that a symbolic link leads to, as SQLite's own
/// files are.
fn lock_path(path: &Path) -> PathBuf {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.into_os_string();
    name.push("-server");
    name.into()
}
