//! Room that a server keeps on the disk of its database file, for the changes that must not fail when
//! the disk is full: those that delete, disable, revoke, sign in or sign out.
//!
//! The reserve is a file beside the database. When a change finds no room, a part of that file is given
//! back to the disk, and the change is tried once more. Until the reserve is whole again, nothing else
//! may make the database grow.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatewright_policy::AccountName;

use crate::error::StoreError;
use crate::file_identity::beside;

/// The bytes that are given back at once, at least: another program may take them first.
const STEP: u64 = 1 << 20;

/// The part of the reserve that an account may use up, and the part of what is left that a change may: one
/// that writes much must leave something for the others.
const SHARE_OF_ACCOUNT: u64 = 2;
const SHARE_OF_CHANGE: u64 = 8;

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
    inner: Mutex<Inner>,
}

/// The file of a reserve, and who has used it.
#[derive(Debug)]
struct Inner {
    file: File,
    /// The bytes that were given back for each account since the reserve was whole.
    used: HashMap<AccountName, u64>,
}

impl DiskReserve {
    /// Opens the reserve of the database at a path, which is empty until it is filled: the file may be a
    /// hole that takes no room, as after a copy.
    pub(crate) fn open(database: &str, size: u64) -> Result<Self, StoreError> {
        let path = beside(database, "-reserve");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&path).and_then(|file| {
            file.set_len(file.metadata()?.len().min(size))?;
            Ok(file)
        });
        let file = opened.map_err(|source| StoreError::file(&path, source))?;
        let inner = Inner { file, used: HashMap::new() };
        Ok(Self { path, size, kept: AtomicU64::new(0), inner: Mutex::new(inner) })
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

    /// Gives room back to the disk for a change of some bytes in an account; returns whether there was any
    /// left for it.
    pub(crate) fn release(&self, account: &AccountName, bytes: usize) -> bool {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(GROWTH);
        let mut inner = self.lock();
        let kept = self.kept();
        let released = wanted.min(kept / SHARE_OF_CHANGE).max(STEP).min(kept);
        let used = inner.used.get(account).copied().unwrap_or(0).saturating_add(released);
        if released == 0 || used > (self.size / SHARE_OF_ACCOUNT).max(STEP) {
            return false;
        }
        inner.used.insert(account.clone(), used);
        self.resize(&inner.file, kept - released)
    }

    /// Makes the reserve whole; fails, and keeps what it has, where the disk has no room for it.
    pub(crate) fn fill(&self) -> Result<(), StoreError> {
        if self.is_whole() {
            return Ok(());
        }
        let missing = self.size.saturating_sub(self.kept());
        if !has_room(&self.path, missing.saturating_add(STEP)) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(StoreError::file(&self.path, full));
        }
        let mut inner = self.lock();
        let kept = self.kept();
        let filled = allocate(&inner.file, kept, self.size);
        if filled.is_ok() {
            self.kept.store(self.size, Ordering::Relaxed);
            inner.used.clear();
        } else {
            self.resize(&inner.file, kept);
        }
        filled.map_err(|source| StoreError::file(&self.path, source))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the length of the file; returns whether that was possible.
    fn resize(&self, file: &File, length: u64) -> bool {
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
fn allocate(file: &File, _: u64, length: u64) -> std::io::Result<()> {
    let length = length.try_into().map_err(std::io::Error::other)?;
    Ok(nix::fcntl::posix_fallocate(file, 0, length)?)
}

/// Writes a file from one length to another: a hole would take no room.
#[cfg(not(target_os = "linux"))]
fn allocate(mut file: &File, from: u64, to: u64) -> std::io::Result<()> {
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
        let reserve = DiskReserve::open(database.to_str().unwrap(), 4 * STEP).unwrap();
        let (account, other) = (AccountName::new("aa1-ovh"), AccountName::new("bb2-ovh"));
        assert!(!reserve.is_whole() && !reserve.release(&account, 1), "there is nothing yet");
        reserve.fill().unwrap();
        assert!(reserve.is_whole() && length(&reserve) == 4 * STEP);
        assert!(reserve.release(&account, 1) && length(&reserve) == 3 * STEP, "a step at least");
        assert!(!reserve.is_whole());
        assert!(reserve.release(&account, 1) && length(&reserve) == 2 * STEP);
        assert!(!reserve.release(&account, 1), "the rest is for others");
        assert!(reserve.release(&other, 1) && reserve.release(&other, 1));
        assert!(length(&reserve) == 0 && !reserve.release(&other, 1));
        reserve.fill().unwrap();
        assert!(reserve.is_whole() && length(&reserve) == 4 * STEP);
        assert!(reserve.release(&account, 1), "who has used it counts anew");
    }

    #[test]
    fn the_smallest_reserve_serves_one_account() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gatewright.db");
        let reserve = DiskReserve::open(database.to_str().unwrap(), STEP).unwrap();
        reserve.fill().unwrap();
        assert!(reserve.release(&AccountName::new("aa1-ovh"), 1));
        assert_eq!(length(&reserve), 0);
    }

    #[test]
    fn a_large_change_gets_what_it_needs_and_no_more_than_its_share() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gatewright.db");
        let reserve = DiskReserve::open(database.to_str().unwrap(), 32 * STEP).unwrap();
        let account = AccountName::new("aa1-ovh");
        reserve.fill().unwrap();
        assert!(reserve.release(&account, 1 << 19) && reserve.kept() == 30 * STEP);
        assert!(reserve.release(&account, usize::MAX));
        assert_eq!(reserve.kept(), 30 * STEP - 30 * STEP / 8);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reserve_that_was_copied_as_a_hole_takes_its_room_again() {
        use std::os::unix::fs::MetadataExt;

        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gatewright.db");
        let path = beside(database.to_str().unwrap(), "-reserve");
        File::create(&path).unwrap().set_len(2 * STEP).unwrap();
        let reserve = DiskReserve::open(database.to_str().unwrap(), STEP).unwrap();
        assert_eq!(length(&reserve), STEP, "what is too much is given back");
        reserve.fill().unwrap();
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 >= STEP);
    }
}
