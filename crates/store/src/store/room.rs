//! Keeps room for the changes that must not fail when the disk is full.

use gatewright_policy::AccountName;

use super::Store;
use crate::database::Database;
use crate::disk_reserve::DiskReserve;
use crate::error::StoreError;
use crate::object::Change;

impl Store {
    /// Keeps some bytes on the disk of a database file for the changes that delete, disable, revoke or sign
    /// in, for as long as this server runs; 0 keeps none. PostgreSQL has a disk of its own.
    pub fn keep_reserve(&self, bytes: u64) -> Result<(), StoreError> {
        let Database::Sqlite(file) = &self.database else { return Ok(()) };
        file.keep_reserve(bytes)?;
        // Where there is no room for it, the server starts nevertheless: it is filled later.
        self.fill_reserve().or_else(|_| Ok(()))
    }

    /// Makes the reserve whole that was given up in part; fails while there is no room for it.
    pub fn fill_reserve(&self) -> Result<(), StoreError> {
        self.reserve(DiskReserve::fill).unwrap_or(Ok(()))
    }

    /// Returns the bytes of the reserve that are kept at the moment; none where there is no reserve.
    pub fn reserve_kept(&self) -> Option<u64> {
        self.reserve(DiskReserve::kept)
    }

    /// Checks that the database may grow; fails while the disk is full but for the room that is kept.
    pub fn check_room(&self) -> Result<(), StoreError> {
        let is_whole = self.reserve(DiskReserve::is_whole).unwrap_or(true);
        if is_whole { Ok(()) } else { Err(StoreError::NoRoom) }
    }

    /// Makes room on a full disk for changes in an account; returns whether they may have it, and there was
    /// any left for them.
    pub(super) fn makes_room(&self, account: &AccountName, changes: &[Change]) -> bool {
        if !changes.iter().all(Change::may_use_reserve) {
            return false;
        }
        let bytes = changes.iter().map(Change::size).sum();
        self.reserve(|reserve| reserve.release(account, bytes)).unwrap_or(false)
    }

    fn reserve<T>(&self, read: impl FnOnce(&DiskReserve) -> T) -> Option<T> {
        match &self.database {
            Database::Sqlite(file) => file.reserve().map(read),
            Database::Postgres(_) => None,
        }
    }
}
