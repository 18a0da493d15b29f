//! Locks of one byte of a file.
//!
//! They belong to the open file, not to the process as SQLite's locks do, and can be asked about
//! without being taken.

use std::fs::File;
use std::path::Path;

/// The result of an attempt to lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Locked,
    /// Somebody else has the lock.
    Taken,
    /// The system or the file system knows no such locks.
    Unsupported,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod system {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    use super::{Attempt, File, Path};

    /// The byte, far behind those that SQLite locks: from 2^30 on, 512 bytes.
    const PLACE: libc::off_t = (1 << 30) + (1 << 20);

    fn byte() -> std::io::Result<libc::flock> {
        let short = |number| libc::c_short::try_from(number).map_err(std::io::Error::other);
        Ok(libc::flock {
            l_type: short(libc::F_WRLCK)?,
            l_whence: short(libc::SEEK_SET)?,
            l_start: PLACE,
            l_len: 1,
            l_pid: 0,
        })
    }

    fn is_unsupported(error: Errno) -> bool {
        matches!(error, Errno::EINVAL | Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP)
    }

    pub(crate) fn try_lock(file: &File) -> std::io::Result<Attempt> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&byte()?)) {
            Ok(_) => Ok(Attempt::Locked),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(Attempt::Taken),
            Err(error) if is_unsupported(error) => Ok(Attempt::Unsupported),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn is_locked(path: &Path) -> std::io::Result<bool> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut found = byte()?;
        match fcntl(&file, FcntlArg::F_OFD_GETLK(&mut found)) {
            Ok(_) => Ok(i32::from(found.l_type) != libc::F_UNLCK),
            Err(error) if is_unsupported(error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod system {
    use super::{Attempt, File, Path};

    pub(crate) fn try_lock(_: &File) -> std::io::Result<Attempt> {
        Ok(Attempt::Unsupported)
    }

    pub(crate) fn is_locked(_: &Path) -> std::io::Result<bool> {
        Ok(false)
    }
}

/// Tries to lock the byte until the file is closed.
pub(crate) use system::try_lock;

/// Returns whether somebody has locked the byte of the file at a path. The file is opened and closed:
/// not in a process in which SQLite has it open, whose locks would end.
pub(crate) use system::is_locked;
