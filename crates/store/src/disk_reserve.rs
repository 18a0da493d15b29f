//! Room that a server keeps on the disk of its database file, for the changes that must not fail when
//! the disk is full: those that delete, disable, revoke or sign out.
//!
//! The reserve is a file beside the database. When a change finds no room, a part of that file is given
//! back to the disk, and the change is tried once more. Until the reserve is whole again, nothing else
//! may make the database grow.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::StoreError;
use crate::file_identity::beside;

/// The bytes that are given back at once, at least: another program may take them first.
const STEP: u64 = 1 << 20;

/// The bytes that a change may take on the disk, for each of its own: its pages are written to the log,
/// and the entry of the journal holds the document before and after.
const GROWTH: u64 = 4;

/// The reserve of a database file.
#[derive(Debug)]
pub(crate) struct DiskReserve {
    path: PathBuf,
    /// The size of the whole reserve, in bytes.
    size: u64,
    /// The bytes that are kept at the moment.
    kept: AtomicU64,
    file: Mutex<File>,
}

impl DiskReserve {
    /// Opens the reserve of the database at a path, with as many bytes as it had last.
    pub(crate) fn open(database: &str, size: u64) -> Result<Self, StoreError> {
        let path = beside(database, "-reserve");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|source| StoreError::file(&path, source))?;
        Ok(Self { path, size, kept: AtomicU64::new(length), file: Mutex::new(file) })
    }

    /// Removes the reserve of the database at a path, if there is one.
    pub(crate) fn remove(database: &str) -> Result<(), StoreError> {
        let path = beside(database, "-reserve");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::file(path, error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the bytes that are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Returns whether all of the reserve is kept.
    pub(crate) fn is_whole(&self) -> bool {
        self.kept() >= self.size
    }

    /// Gives room back to the disk for a change of some bytes; returns whether there was any left.
    pub(crate) fn release(&self, bytes: usize) -> bool {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(GROWTH);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.kept();
        let left = kept.saturating_sub(wanted.max(STEP));
        kept > 0 && self.resize(&mut file, left)
    }

    /// Makes the reserve whole; fails, and keeps what it has, where the disk has no room for it.
    pub(crate) fn fill(&self) -> Result<(), StoreError> {
        let missing = self.size.saturating_sub(self.kept());
        if missing > 0 && !has_room(&self.path, missing.saturating_add(STEP)) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(StoreError::file(&self.path, full));
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.kept();
        if kept > self.size {
            self.resize(&mut file, self.size);
            return Ok(());
        }
        let filled = allocate(&mut file, kept, self.size);
        match filled {
            Ok(()) => self.kept.store(self.size, Ordering::Relaxed),
            Err(_) => drop(self.resize(&mut file, kept)),
        }
        filled.map_err(|source| StoreError::file(&self.path, source))
    }

    /// Sets the length of the file; returns whether that was possible.
    fn resize(&self, file: &mut File, length: u64) -> bool {
        let resized = file.set_len(length);
        if let Err(error) = &resized {
            tracing::warn!(path = %self.path.display(), %error, "the size of the reserve cannot be set");
            return false;
        }
        self.kept.store(length, Ordering::Relaxed);
        true
    }
}

/// Returns whether the disk of a file has room for some bytes more. An attempt would take all that there
/// is, if only for a moment.
#[cfg(target_os = "linux")]
fn has_room(path: &Path, bytes: u64) -> bool {
    nix::sys::statvfs::statvfs(path)
        .map_or(true, |disk| disk.blocks_available().saturating_mul(disk.fragment_size()) >= bytes)
}

#[cfg(not(target_os = "linux"))]
fn has_room(_: &Path, _: u64) -> bool {
    true
}

/// Takes room for a file of a length.
#[cfg(target_os = "linux")]
fn allocate(file: &mut File, _: u64, length: u64) -> std::io::Result<()> {
    let length = length.try_into().map_err(std::io::Error::other)?;
    Ok(nix::fcntl::posix_fallocate(&*file, 0, length)?)
}

/// Writes a file from one length to another: a hole would take no room.
#[cfg(not(target_os = "linux"))]
fn allocate(file: &mut File, from: u64, to: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};

    let zeros = [0; 1 << 16];
    file.seek(SeekFrom::Start(from))?;
    let mut left = to.saturating_sub(from);
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        left -= part as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(reserve: &DiskReserve) -> u64 {
        std::fs::metadata(&reserve.path).unwrap().len()
    }

    #[test]
    fn room_is_given_back_in_steps_and_kept_again_once_there_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gatewright.db");
        let database = database.to_str().unwrap();
        let reserve = DiskReserve::open(database, 3 * STEP).unwrap();
        assert!(!reserve.is_whole() && !reserve.release(1), "there is nothing yet");
        reserve.fill().unwrap();
        assert!(reserve.is_whole() && length(&reserve) == 3 * STEP);
        assert!(reserve.release(1) && length(&reserve) == 2 * STEP, "a step at least");
        assert!(!reserve.is_whole());
        let bytes = usize::try_from(STEP).unwrap();
        assert!(reserve.release(bytes) && length(&reserve) == 0, "as much as a large change needs");
        assert!(!reserve.release(1));
        reserve.fill().unwrap();
        assert!(reserve.is_whole() && length(&reserve) == 3 * STEP);
    }

    #[test]
    fn a_reserve_that_is_set_to_be_smaller_gives_the_rest_back() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gatewright.db");
        let database = database.to_str().unwrap();
        DiskReserve::open(database, 3 * STEP).unwrap().fill().unwrap();
        let smaller = DiskReserve::open(database, STEP).unwrap();
        smaller.fill().unwrap();
        assert!(smaller.is_whole() && length(&smaller) == STEP);
    }
}
