//! A database file of SQLite, and the connections to it.
//!
//! Invariants:
//! - Connections lead to the file that is at the path. When another file was put there, they are
//!   closed, and statements fail until the file is opened anew.
//! - Nothing is written while the write-ahead log is not at its path: what is written there would
//!   end with the process.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use crate::error::StoreError;
use crate::file_identity::{DatabaseFiles, FileId, Place, is_newer_than_its_log, names};
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
    /// What is wrong with the file at the path; none while it is open.
    trouble: ArcSwapOption<String>,
}

/// Checks, before a file is opened, that it has one name and that its log is its own.
pub(crate) async fn check(path: &str) -> Result<(), StoreError> {
    if names(path) > 1 {
        return Err(StoreError::SeveralNames { path: path.to_owned() });
    }
    if is_newer_than_its_log(path) && !is_intact(path).await {
        return Err(StoreError::OtherLog { path: path.to_owned() });
    }
    Ok(())
}

/// Reads a whole database with its write-ahead log, without writing to either.
async fn is_intact(path: &str) -> bool {
    let checked = async {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = options.connect().await?;
        let check = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection);
        let said: Result<String, sqlx::Error> = check.await;
        connection.close().await?;
        said
    };
    checked.await.is_ok_and(|said| said == "ok")
}

impl SqliteFile {
    /// Opens a file, which is created when it is missing.
    pub(crate) async fn open(path: &str, timeout: Duration) -> Result<Self, sqlx::Error> {
        let connections = ArcSwap::from_pointee(Connections::open(path, timeout, true).await?);
        let (lock, trouble) = (OnceLock::new(), ArcSwapOption::empty());
        Ok(Self { path: path.to_owned(), timeout, connections, lock, trouble })
    }

    /// Keeps the lock of the server for as long as the file.
    pub(crate) fn hold(&self, lock: ServerLock) {
        // A second lock could not have been acquired.
        let _ = self.lock.set(lock);
    }

    /// Returns what is wrong with the file at the path.
    pub(crate) fn trouble(&self) -> Option<Arc<String>> {
        self.trouble.load_full()
    }

    pub(crate) fn connections(&self) -> Arc<Connections> {
        self.connections.load_full()
    }

    /// Checks that the files that are open are those at the path.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        match self.connections.load().files.place() {
            Place::Unchanged => Ok(()),
            Place::LogRemoved => Err(StoreError::LogRemoved { path: self.path.clone() }),
            Place::Replaced => Err(StoreError::Replaced),
        }
    }

    /// Gives up the files that are no longer at the path, for a reason: statements fail until the
    /// file is opened anew. What only the log holds is written to the database first.
    pub(crate) async fn give_up(&self, reason: &StoreError) {
        self.trouble.store(Some(Arc::new(reason.to_string())));
        if matches!(reason, StoreError::LogRemoved { .. }) {
            let writer = &self.connections().writer;
            let saved = sqlx::query("PRAGMA wal_checkpoint(FULL)").execute(writer).await;
            if let Err(error) = saved {
                tracing::error!(error = %error, "the write-ahead log could not be saved");
            }
        }
        self.close().await;
    }

    /// Closes the connections: statements fail until the file is opened anew.
    pub(crate) async fn close(&self) {
        let connections = self.connections();
        // All at once: a writer must not go on while a reader ends.
        tokio::join!(
            connections.heartbeat.close(),
            connections.readers.close(),
            connections.writer.close()
        );
    }

    /// Opens the file that is at the path now, which is another or has another log; fails when there
    /// is none.
    pub(crate) async fn open_anew(&self) -> Result<Connections, StoreError> {
        let checked = self.check_anew().await;
        if let Err(error) = checked {
            self.trouble.store(Some(Arc::new(error.to_string())));
            return Err(error);
        }
        let opened = Connections::open(&self.path, self.timeout, false).await;
        opened.map_err(|error| StoreError::failed("OPEN", error))
    }

    async fn check_anew(&self) -> Result<(), StoreError> {
        let files = self.connections.load().files.clone();
        if files.left_log_to_another() {
            return Err(StoreError::OtherLog { path: self.path.clone() });
        }
        check(&self.path).await?;
        self.lock.get().map_or(Ok(()), |lock| lock.extend(&self.path))
    }

    /// Replaces the connections, once what they lead to is up to date.
    pub(crate) async fn replace(&self, connections: Connections) {
        self.close().await;
        self.connections.store(Arc::new(connections));
        self.trouble.store(None);
    }
}

impl Connections {
    async fn open(path: &str, timeout: Duration, create: bool) -> Result<Self, sqlx::Error> {
        if create {
            create_private(path)?;
        }
        let before = FileId::of(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
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
        sqlx::query("SELECT 1 FROM sqlite_schema LIMIT 1").fetch_optional(&writer).await?;
        let files = DatabaseFiles::at(path);
        // A connection of before, as long as it is open, would share its log with the new ones.
        if !files.are_whole() || before.is_some() && before != FileId::of(path) {
            let replaced = "the database file was replaced while it was opened";
            return Err(sqlx::Error::Io(std::io::Error::other(replaced)));
        }
        Ok(Self { readers, writer, heartbeat, files })
    }
}

/// Creates a missing file that only its owner can read. SQLite gives the files beside it the same
/// permissions.
#[cfg(unix)]
fn create_private(path: &str) -> Result<(), std::io::Error> {
    use std::os::unix::fs::OpenOptionsExt;
    if path.is_empty() || path.starts_with(':') {
        // In memory.
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn create_private(_: &str) -> Result<(), std::io::Error> {
    Ok(())
}
