//! The lock of a server on its database file.
//!
//! Two locks, since each alone leaves a gap: one on the file itself, whatever it is called, and
//! one on a file beside its path, which the file that replaces it has as well. The system releases
//! both when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::sync::{Mutex, PoisonError};

use crate::address::Address;
use crate::error::StoreError;
use crate::file_identity::{FileId, beside};

/// Holds the locks of the one server on a database file.
///
/// They are seen by every process on the machine that reaches the file or its folder, in whichever
/// container and by whichever name. The file must stay open until the database is closed: closing
/// any descriptor of it would release SQLite's own locks.
#[derive(Debug)]
pub struct ServerLock {
    _beside: Option<File>,
    files: Mutex<Vec<File>>,
}

impl ServerLock {
    /// Locks the database for a server; fails with [`StoreError::InUse`] while another server has
    /// it. A file that is missing is created. PostgreSQL serves many, and needs no lock.
    pub fn acquire(address: &Address) -> Result<Self, StoreError> {
        let Address::Sqlite(path) = address else {
            return Ok(Self { _beside: None, files: Mutex::default() });
        };
        // First the file: after that its path leads to something.
        let file = lock_file(path)?;
        let mut options = OpenOptions::new();
        let name = beside(path, "-server");
        let beside = options.create(true).write(true).truncate(false).open(&name);
        let beside = beside.map_err(|source| StoreError::file(&name, source))?;
        match beside.try_lock() {
            Ok(()) => Ok(Self { _beside: Some(beside), files: Mutex::new(vec![file]) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.clone() }),
            Err(TryLockError::Error(source)) => Err(StoreError::file(&name, source)),
        }
    }

    /// Checks, before a command opens the database, that a server which is running on the file knows
    /// it by the same name: by another, SQLite would keep a second log for it.
    pub fn check_name(address: &Address) -> Result<(), StoreError> {
        match address {
            Address::Sqlite(path) if is_served(path) && !beside(path, "-shm").exists() => {
                Err(StoreError::OtherName { path: path.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Locks the file that is at the path now as well, unless that is done.
    pub(crate) fn extend(&self, path: &str) -> Result<(), StoreError> {
        let id = FileId::of(path);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |file: &File| file.metadata().ok().and_then(|data| FileId::from_metadata(&data));
        if id.is_none() || files.iter().any(|file| of(file) == id) {
            return Ok(());
        }
        files.push(lock_file(path)?);
        Ok(())
    }
}

/// Opens and locks a database file.
fn lock_file(path: &str) -> Result<File, StoreError> {
    let failed = |source| StoreError::file(path, source);
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    if lock_byte(&file).map_err(failed)? {
        Ok(file)
    } else {
        Err(StoreError::InUse { path: path.to_owned() })
    }
}

/// Locks one byte, far behind those that SQLite locks; returns false if another server has it. The
/// lock belongs to the open file, not to the process as SQLite's locks do.
#[cfg(target_os = "linux")]
fn lock_byte(file: &File) -> std::io::Result<bool> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};

    match fcntl(file, FcntlArg::F_OFD_SETLK(&byte()?)) {
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        // Some file systems know no such locks: the lock beside the file is left.
        Ok(_) | Err(Errno::EINVAL | Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Describes the lock of the byte.
#[cfg(target_os = "linux")]
fn byte() -> std::io::Result<nix::libc::flock> {
    use nix::libc;

    /// SQLite locks from 2^30 on, 512 bytes.
    const PLACE: libc::off_t = (1 << 30) + (1 << 20);

    let short = |number| libc::c_short::try_from(number).map_err(std::io::Error::other);
    Ok(libc::flock {
        l_type: short(libc::F_WRLCK)?,
        l_whence: short(libc::SEEK_SET)?,
        l_start: PLACE,
        l_len: 1,
        l_pid: 0,
    })
}

#[cfg(not(target_os = "linux"))]
fn lock_byte(_: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// Tells whether a server has locked the file.
#[cfg(target_os = "linux")]
fn is_served(path: &str) -> bool {
    use nix::fcntl::{FcntlArg, fcntl};

    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return false };
    let Ok(mut found) = byte() else { return false };
    let asked = fcntl(&file, FcntlArg::F_OFD_GETLK(&mut found));
    asked.is_ok() && i32::from(found.l_type) != nix::libc::F_UNLCK
}

#[cfg(not(target_os = "linux"))]
fn is_served(_: &str) -> bool {
    false
}
