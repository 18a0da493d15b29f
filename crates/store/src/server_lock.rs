//! The lock of a server on its database file.
//!
//! Two files are locked, since each alone leaves a gap: the database itself, whatever it is called,
//! and a file beside its path, which the file that replaces it has as well. The system releases both
//! when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::address::Address;
use crate::byte_lock::{Attempt, is_locked, try_lock};
use crate::error::StoreError;
use crate::file_identity::{DatabaseFiles, FileId, beside};
use crate::last_change::{self, LastChange};
use crate::opening::{lock_opening, prepare};

/// Holds the locks of the one server on a database file.
///
/// They are seen by every process on the machine that reaches the file or its folder, in whichever
/// container and by whichever name. The file must stay open until the database is closed: closing
/// any descriptor of it would release SQLite's own locks.
#[derive(Debug)]
pub struct ServerLock {
    /// The file beside the database, which holds the note of the last change too.
    beside: Option<File>,
    files: Mutex<Vec<File>>,
}

impl ServerLock {
    /// Locks the database for a server; fails with [`StoreError::InUse`] while another server has
    /// it. A file that is missing is created. PostgreSQL serves many, and needs no lock.
    pub fn acquire(address: &Address) -> Result<Self, StoreError> {
        let Address::Sqlite(path) = address else {
            return Ok(Self { beside: None, files: Mutex::default() });
        };
        // After that, the path leads to something.
        prepare(path)?;
        let mut options = OpenOptions::new();
        let name = beside(path, "-server");
        let beside = options.create(true).read(true).write(true).truncate(false).open(&name);
        let beside = beside.map_err(|source| StoreError::file(&name, source))?;
        match beside.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.clone() }),
            Err(TryLockError::Error(source)) => return Err(StoreError::file(&name, source)),
        }
        // The name before the file: a command that sees the file locked must find the name.
        lock_byte(&beside, path, &name)?;
        let file = lock_file(path)?;
        Ok(Self { beside: Some(beside), files: Mutex::new(vec![file]) })
    }

    /// Checks, before a command opens the database, that a server which is running on the file knows
    /// it by the same name, and has it open: by another name SQLite would keep a second log for it,
    /// and beside a log that was removed it would begin another.
    pub async fn check_name(address: &Address) -> Result<(), StoreError> {
        let Address::Sqlite(path) = address else { return Ok(()) };
        // A server that is opening the database has done so afterwards.
        let _opening = lock_opening(address).await?;
        let is_locked =
            |path: &Path| is_locked(path).map_err(|source| StoreError::file(path, source));
        let has_file = is_locked(Path::new(path))?;
        let has_name = is_locked(&beside(path, "-server"))?;
        match (has_file, has_name) {
            (false, false) => Ok(()),
            (true, false) => Err(StoreError::OtherName { path: path.clone() }),
            (true, true) if DatabaseFiles::at(path).are_whole() => Ok(()),
            (_, true) => Err(StoreError::NotOpen { path: path.clone() }),
        }
    }

    /// Notes the last change that the server has committed; none removes the note.
    pub(crate) fn note_last_change(&self, change: Option<&LastChange>) -> std::io::Result<()> {
        self.beside.as_ref().map_or(Ok(()), |file| last_change::write(file, change))
    }

    /// Returns the last change that a server has noted, if there is a note that can be read.
    pub(crate) fn last_change(&self) -> Option<LastChange> {
        last_change::read(self.beside.as_ref()?).ok().flatten()
    }

    /// Locks the file that is at the path now as well, unless that is done.
    pub(crate) fn extend(&self, path: &str) -> Result<(), StoreError> {
        let id = FileId::of(path);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_none() || files.iter().any(|file| FileId::of_open(file) == id) {
            return Ok(());
        }
        files.push(lock_file(path)?);
        Ok(())
    }

    /// Closes the files that are at the path no more, once SQLite has closed them.
    pub(crate) fn keep_only(&self, path: &str) {
        let Some(id) = FileId::of(path) else { return };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|file| FileId::of_open(file) == Some(id));
    }
}

/// Opens and locks a database file.
fn lock_file(path: &str) -> Result<File, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|source| StoreError::file(path, source))?;
    lock_byte(&file, path, Path::new(path))?;
    Ok(file)
}

/// Locks a file for the server of a database.
fn lock_byte(file: &File, database: &str, path: &Path) -> Result<(), StoreError> {
    match try_lock(file).map_err(|source| StoreError::file(path, source))? {
        Attempt::Locked => Ok(()),
        Attempt::Taken => Err(StoreError::InUse { path: database.to_owned() }),
        Attempt::Unsupported => {
            // The lock of the file beside it is left.
            tracing::warn!(
                path = %path.display(),
                "cannot lock the file: a server that has it by another name is not noticed"
            );
            Ok(())
        }
    }
}
