//! A database file of SQLite, and the connections to it.
//!
//! Invariant: connections lead to the file that is at the path. When another file was put there,
//! they are closed, and statements fail until the file is opened anew.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

/// The connections to one file.
pub(crate) struct Connections {
    /// For statements that only read.
    pub(crate) readers: SqlitePool,
    /// SQLite takes one writer at a time: a pool of one makes the others queue.
    pub(crate) writer: SqlitePool,
    /// For heartbeats alone: no load of statements delays them, or the server would take itself for
    /// stale when it is merely busy.
    pub(crate) heartbeat: SqlitePool,
    file: Option<FileId>,
}

/// The identity of a file on the machine: device and inode. None where the system has none.
type FileId = (u64, u64);

/// A database file, whose connections are replaced with the file.
pub(crate) struct SqliteFile {
    path: String,
    /// Maximum time that a statement waits for a lock that another process holds on the file, and
    /// that a change waits for the others.
    timeout: Duration,
    connections: ArcSwap<Connections>,
}

impl SqliteFile {
    /// Opens a file, which is created when it is missing.
    pub(crate) async fn open(path: &str, timeout: Duration) -> Result<Self, sqlx::Error> {
        let connections = ArcSwap::from_pointee(Connections::open(path, timeout, true).await?);
        Ok(Self { path: path.to_owned(), timeout, connections })
    }

    pub(crate) fn connections(&self) -> Arc<Connections> {
        self.connections.load_full()
    }

    /// Tells whether the file at the path is still the one that is open.
    pub(crate) fn is_in_place(&self) -> bool {
        self.connections.load().file == file_id(&self.path)
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

    /// Opens the file that is at the path now, beside the one that was; fails when there is none.
    pub(crate) async fn open_anew(&self) -> Result<Connections, sqlx::Error> {
        Connections::open(&self.path, self.timeout, false).await
    }

    /// Replaces the connections, once what they lead to is up to date.
    pub(crate) async fn replace(&self, connections: Connections) {
        self.close().await;
        self.connections.store(Arc::new(connections));
    }
}

impl Connections {
    async fn open(path: &str, timeout: Duration, create: bool) -> Result<Self, sqlx::Error> {
        if create {
            create_private(path)?;
        }
        let before = file_id(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged change outlives a loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(timeout);
        let pool = |most| SqlitePoolOptions::new().max_connections(most).acquire_timeout(timeout);
        let writer = pool(1).test_before_acquire(false).connect_with(options.clone()).await?;
        let readers = pool(8).test_before_acquire(false).connect_lazy_with(options.clone());
        let heartbeat = pool(1).test_before_acquire(false).connect_lazy_with(options);
        let file = file_id(path);
        if before.is_some() && before != file {
            let replaced = "the database file was replaced while it was opened";
            return Err(sqlx::Error::Io(std::io::Error::other(replaced)));
        }
        Ok(Self { readers, writer, heartbeat, file })
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

#[cfg(unix)]
fn file_id(path: &str) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &str) -> Option<FileId> {
    None
}
