//! A database file of SQLite, and the connections to it.
//!
//! Invariants:
//! - Connections lead to the file that is at the path. When another file was put there, they are
//!   closed, and statements fail until the file is opened anew.
//! - Nothing is written while the write-ahead log is not at its path: what is written there would
//!   end with the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::disk_reserve::DiskReserve;
use crate::error::StoreError;
use crate::file_identity::{DatabaseFiles, FileId, FileState, beside, has_content};
use crate::last_change::LastChange;
use crate::opening::check;
use crate::server_lock::ServerLock;

/// The connections to one file.
pub(crate) struct Connections {
    /// For statements that only read.
    pub(crate) readers: SqlitePool,
    /// SQLite takes one writer at a time: a pool of one makes the others queue.
    pub(crate) writer: SqlitePool,
    /// For heartbeats alone: no load of statements delays them, or the server would take itself for
    /// stale when it is merely busy.
    pub(crate) heartbeat: SqlitePool,
    files: DatabaseFiles,
}

/// A database file, whose connections are replaced with the file.
pub(crate) struct SqliteFile {
    path: String,
    /// Maximum time that a statement waits for a lock that another process holds on the file, and
    /// that a change waits for the others.
    timeout: Duration,
    connections: ArcSwap<Connections>,
    /// The lock of the server, if it is one that has opened the file.
    lock: OnceLock<ServerLock>,
    /// The room that the server keeps on the disk, if it keeps any.
    reserve: OnceLock<DiskReserve>,
    /// The error of the file at the path; none while it is open.
    file_error: ArcSwapOption<String>,
    /// True if changes were lost with a log that was removed.
    has_lost: AtomicBool,
}

/// The result of opening a database file anew whose connections were closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Nothing was wrong with it: it is still open.
    None,
    /// The file was opened anew, and has all that it had.
    Same,
    /// Another is open in its place, or changes were lost with its log.
    Other,
}

impl SqliteFile {
    /// Opens a file.
    pub(crate) async fn open(path: &str, timeout: Duration) -> Result<Self, sqlx::Error> {
        let connections = ArcSwap::from_pointee(Connections::open(path, timeout).await?);
        Ok(Self {
            path: path.to_owned(),
            timeout,
            connections,
            lock: OnceLock::new(),
            reserve: OnceLock::new(),
            file_error: ArcSwapOption::empty(),
            has_lost: AtomicBool::new(false),
        })
    }

    /// Returns the maximum time of waiting for a lock.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Notes a change that the server has committed.
    pub(crate) fn note_last_change(&self, change: Option<&LastChange>) {
        let Some(lock) = self.lock.get() else { return };
        if let Err(error) = lock.note_last_change(change) {
            tracing::debug!(%error, "the last change could not be noted beside the database");
        }
    }

    /// Returns the last change that a server has noted, if there is a note.
    pub(crate) fn last_change(&self) -> Option<LastChange> {
        self.lock.get()?.last_change()
    }

    /// Keeps the lock of the server for as long as the file.
    pub(crate) fn hold(&self, lock: ServerLock) -> Result<(), StoreError> {
        self.lock.set(lock).map_err(|second| {
            // Dropped, it would release SQLite's locks on the file.
            std::mem::forget(second);
            StoreError::InUse { path: self.path.clone() }
        })
    }

    /// Keeps room on the disk for as long as the file is open.
    pub(crate) fn keep_reserve(&self, bytes: u64) -> Result<(), StoreError> {
        if bytes == 0 {
            return DiskReserve::remove(&self.path);
        }
        let reserve = DiskReserve::open(&self.path, bytes)?;
        self.reserve.set(reserve).map_err(|_| StoreError::InUse { path: self.path.clone() })
    }

    /// Returns the room that is kept on the disk, if any is.
    pub(crate) fn reserve(&self) -> Option<&DiskReserve> {
        self.reserve.get()
    }

    /// Returns what is wrong with the file at the path.
    pub(crate) fn file_error(&self) -> Option<Arc<String>> {
        self.file_error.load_full()
    }

    pub(crate) fn connections(&self) -> Arc<Connections> {
        self.connections.load_full()
    }

    /// Checks that the files that are open are those at the path.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        match self.connections.load().files.place() {
            FileState::Unchanged => Ok(()),
            FileState::LogRemoved => Err(StoreError::LogRemoved { path: self.path.clone() }),
            FileState::Replaced => Err(StoreError::Replaced { path: self.path.clone() }),
        }
    }

    /// Gives up the files that are no longer at the path, for a reason: statements fail until the
    /// file is opened anew. What only the log holds is written to the database first.
    pub(crate) async fn give_up(&self, reason: &StoreError) {
        self.fail(reason);
        if matches!(reason, StoreError::LogRemoved { .. })
            && let Err(error) = self.save_log().await
        {
            self.has_lost.store(true, Ordering::Relaxed);
            tracing::error!(error = %error, "the write-ahead log could not be saved");
        }
        self.close().await;
    }

    /// Gives up the files unless they are in order, and closes all connections to them; returns
    /// whether they are in order. The listener does the same, and may have been stopped meanwhile.
    pub(crate) async fn give_up_if_moved(&self) -> bool {
        match self.check_place() {
            Ok(()) if self.file_error().is_none() => return true,
            Err(reason) if !self.connections().writer.is_closed() => self.give_up(&reason).await,
            _ => self.close().await,
        }
        false
    }

    /// Writes what only the removed log holds to the database.
    async fn save_log(&self) -> Result<(), sqlx::Error> {
        let saving = sqlx::query_as("PRAGMA wal_checkpoint(FULL)");
        let (is_busy, in_log, saved): (i64, i64, i64) =
            saving.fetch_one(&self.connections().writer).await?;
        if is_busy == 0 && in_log == saved {
            Ok(())
        } else {
            // It says so in its answer, not by an error.
            let reason = "another program is using the database";
            Err(sqlx::Error::Io(std::io::Error::other(reason)))
        }
    }

    /// Records what is wrong with the file at the path.
    pub(crate) fn fail(&self, reason: &StoreError) {
        self.file_error.store(Some(Arc::new(reason.to_string())));
    }

    /// Closes the connections: statements fail until the file is opened anew.
    pub(crate) async fn close(&self) {
        self.connections().close().await;
    }

    /// Opens the file that is at the path now, once the connections to the one before are closed;
    /// fails when there is none, or when it is beside the log of another.
    pub(crate) async fn open_anew(&self) -> Result<Connections, StoreError> {
        let files = self.connections.load().files.clone();
        if files.left_log_to_another() {
            return Err(StoreError::OtherLog { path: self.path.clone() });
        }
        if FileId::of(&self.path).is_none()
            && cfg!(unix)
            && !has_content(&beside(&self.path, "-wal"))
        {
            // It would be created.
            return Err(StoreError::Replaced { path: self.path.clone() });
        }
        check(&self.path)?;
        self.lock.get().map_or(Ok(()), |lock| lock.extend(&self.path))?;
        let opened = Connections::open(&self.path, self.timeout).await;
        opened.map_err(|error| StoreError::open_sqlite(&self.path, error))
    }

    /// Replaces the connections, once what they lead to is up to date.
    pub(crate) async fn replace(&self, connections: Connections) -> Replacement {
        self.close().await;
        let before = self.connections.swap(Arc::new(connections));
        if let Some(lock) = self.lock.get() {
            lock.keep_only(&self.path);
        }
        self.file_error.store(None);
        let has_lost = self.has_lost.swap(false, Ordering::Relaxed);
        if !has_lost && self.connections.load().files.is_database_of(&before.files) {
            Replacement::Same
        } else {
            Replacement::Other
        }
    }
}

impl Connections {
    async fn open(path: &str, timeout: Duration) -> Result<Self, sqlx::Error> {
        let before = FileId::of(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged change outlives a loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(timeout);
        let pool = |most| {
            let options = SqlitePoolOptions::new().max_connections(most).acquire_timeout(timeout);
            options.test_before_acquire(false)
        };
        // With the last connection SQLite would remove the log, and make another with the next.
        let lasting = || pool(1).idle_timeout(None).max_lifetime(None);
        let writer = lasting().connect_with(options.clone()).await?;
        let readers = pool(8).connect_lazy_with(options.clone());
        let heartbeat = lasting().connect_lazy_with(options);
        // The first statement creates the log and its index.
        let first =
            sqlx::query("SELECT 1 FROM sqlite_schema LIMIT 1").fetch_optional(&writer).await;
        let opened = Self { readers, writer, heartbeat, files: DatabaseFiles::at(path) };
        let is_there = opened.files.are_whole() && (before.is_none() || before == FileId::of(path));
        match first {
            Ok(_) if is_there => Ok(opened),
            failed => {
                opened.close().await;
                let replaced = "the database file was replaced while it was opened";
                let replaced = || sqlx::Error::Io(std::io::Error::other(replaced));
                Err(failed.err().unwrap_or_else(replaced))
            }
        }
    }

    /// Closes the connections. One that is left to itself closes later, and shares its index of the
    /// log with those that are opened meanwhile.
    pub(crate) async fn close(&self) {
        // All at once: a writer must not go on while a reader ends.
        tokio::join!(self.heartbeat.close(), self.readers.close(), self.writer.close());
    }
}
