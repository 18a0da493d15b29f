//! Errors of the store.

use std::path::PathBuf;
use std::time::Duration;

use gatewright_policy::{AccountName, Revision};

use crate::advice::{advice_on_file, advice_on_sqlite};
use crate::transient::{NoWrites, is_transient, no_writes};

/// The key that another object already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The identifier, in any account.
    Id,
    /// The name, among the account's objects of the same kind.
    Name,
}

/// The error of a query or a change; unless it says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object to change, or its account, does not exist.
    #[error("no such object")]
    Missing,
    /// The object has changed since it was read: read it again and retry.
    #[error("the object has changed in the meantime")]
    Stale,
    /// Another object has the identifier or the name.
    #[error("already taken")]
    Taken(Taken),
    /// Something was created under the idempotency key already, or is about to be.
    #[error("the idempotency key is in use")]
    KeyInUse,
    /// The account has the maximum number of idempotency keys.
    #[error("the account has {0} idempotency keys already")]
    TooManyKeys(i64),
    /// The address is neither of the two forms.
    #[error("the database address must be sqlite:PATH or postgres://...")]
    Address,
    /// The database was migrated by a newer program.
    #[error(
        "the database has schema {found}, and this program knows only up to {known}: \
         it was used by a newer Gatewright, start that one"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// The migration of the schema failed.
    #[error("the schema of the database could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The user of the database may not change its schema.
    #[error(
        "the user of the database may not create tables: make it the owner of the database (ALTER \
         DATABASE ... OWNER TO ...), or GRANT CREATE ON SCHEMA public to it"
    )]
    MayNotMigrate(#[source] sqlx::migrate::MigrateError),
    /// The journal is inconsistent.
    #[error(transparent)]
    Journal(#[from] BrokenChain),
    /// A stored value that this program never writes.
    #[error("the database holds {0} that is malformed")]
    Malformed(&'static str),
    /// The database cannot be reached, or is too busy: a retry may succeed.
    #[error("the database is unavailable, at {statement}")]
    Unavailable {
        /// The name of the statement that failed.
        statement: &'static str,
        /// The error of the driver.
        #[source]
        source: sqlx::Error,
    },
    /// The database is not as this program made it (a missing table, a column of another type, a
    /// damaged file), or denies access: a retry fails as well, and the operator must act.
    #[error("the database is broken, at {statement}")]
    Broken {
        /// The name of the statement that failed.
        statement: &'static str,
        /// The error of the driver.
        #[source]
        source: sqlx::Error,
    },
    /// Another server serves the database file, and two would not know what the other changes.
    #[error(
        "another server is running on the database {path}: stop it first, or use PostgreSQL, \
         which serves several"
    )]
    InUse {
        /// The path of the file.
        path: String,
    },
    /// The database cannot be opened.
    #[error("the database {database} cannot be opened: {advice}")]
    Open {
        /// The path of the file, or the address of the server, without credentials.
        database: String,
        /// The advice to the operator.
        advice: &'static str,
        /// The error of the driver.
        #[source]
        source: sqlx::Error,
    },
    /// A file of the database cannot be used.
    #[error("{}: {advice}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The advice to the operator.
        advice: &'static str,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// The database file has several names, and SQLite would keep a log for each.
    #[error(
        "the database file {path} has several names (hard links), and changes made by one would be \
         lost by the other: remove the other names, or make copies of them"
    )]
    SeveralNames {
        /// The path of the file.
        path: String,
    },
    /// A server is running on the database file, by another name.
    #[error(
        "a server is running on the database file {path}, by another path: give the path that the \
         server has, in the same folder"
    )]
    OtherName {
        /// The path of the file.
        path: String,
    },
    /// A server has locked the database file, and does not have it open.
    #[error(
        "a server is running on the database file {path} and does not have it open: it is starting, \
         or a file of the database was moved or removed; its log says which, try again when it is \
         ready"
    )]
    NotOpen {
        /// The path of the file.
        path: String,
    },
    /// There is a write-ahead log, and no database for it.
    #[error(
        "the write-ahead log {path}-wal holds changes, and the database that they belong to is not at \
         {path}, or is empty: put the database back beside its log; to begin anew without these \
         changes, move the log to another folder"
    )]
    LogWithoutDatabase {
        /// The path of the database.
        path: String,
    },
    /// Another database is beside the write-ahead log of the one that was open.
    #[error(
        "{path} is another database than the one that was open, and {path}-wal belongs to that one \
         and may hold its last changes: put that one back, or, to go on with this one, stop the \
         server, move {path}-wal and {path}-shm to another folder, and start"
    )]
    OtherLog {
        /// The path of the database.
        path: String,
    },
    /// The write-ahead log of the open database is not where it was.
    #[error(
        "{path}-wal or {path}-shm was removed or replaced while the database was open: they are part \
         of it and must be left alone; what was in them is being saved, and the database opened anew"
    )]
    LogRemoved {
        /// The path of the database.
        path: String,
    },
    /// The database file is not the one that was opened: it was moved or replaced.
    #[error(
        "{path} is not the database file that was open: it was moved, removed or replaced; if that was \
         a mistake, put it back; to replace it, stop the server, and move {path}-wal and {path}-shm \
         away together with it"
    )]
    Replaced {
        /// The path of the database.
        path: String,
    },
    /// The database has lost changes that it had acknowledged.
    #[error("the database has lost changes that it had acknowledged")]
    LostChanges,
    /// The disk is full, but for the room that is kept for other changes.
    #[error(
        "the disk of the database is full: what room is left is kept for deletions and the like"
    )]
    NoRoom,
    /// No heartbeat came back: notices may be late.
    #[error("no heartbeat came back from the database within {0:?}")]
    Silent(Duration),
    /// The database has just failed to answer another request, which this one has waited for.
    #[error("the database did not answer another request a moment ago")]
    NoAnswer,
    /// The database did not confirm a change: whether it took effect is not known.
    #[error("the database did not confirm the change: whether it took effect is not known")]
    Unconfirmed(#[source] Box<StoreError>),
    /// The task that made the change ended early: whether it took effect is not known.
    #[error("the change was aborted")]
    Aborted(#[source] tokio::task::JoinError),
}

impl StoreError {
    /// Classifies an error of the driver.
    pub(crate) fn failed(statement: &'static str, source: sqlx::Error) -> Self {
        if is_transient(&source) {
            Self::Unavailable { statement, source }
        } else {
            Self::Broken { statement, source }
        }
    }

    /// Returns why the database takes no changes; none where that is not the reason.
    pub fn no_writes(&self) -> Option<NoWrites> {
        match self {
            Self::Unavailable { source, .. } => no_writes(source),
            Self::NoRoom => Some(NoWrites::NoRoom),
            _ => None,
        }
    }

    /// Creates the error of a file that cannot be used.
    pub(crate) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::File { path: path.into(), advice: advice_on_file(&source), source }
    }

    /// Creates the error of a database file that cannot be opened.
    pub(crate) fn open_sqlite(path: &str, source: sqlx::Error) -> Self {
        let advice = advice_on_sqlite(&source);
        Self::Open { database: format!("sqlite:{path}"), advice, source }
    }

    /// Returns whether a row with the same key already exists.
    pub(crate) fn is_unique_violation(&self) -> bool {
        let Self::Broken { source: sqlx::Error::Database(error), .. } = self else { return false };
        error.is_unique_violation()
    }
}

/// The reason why a journal is inconsistent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// An entry is missing.
    #[error("the journal of {account} lacks revision {revision}")]
    Gap {
        /// The account of the journal.
        account: AccountName,
        /// The revision that is missing.
        revision: Revision,
    },
    /// An entry, or one before it, was modified.
    #[error("the journal of {account} was altered at or before revision {revision}")]
    Altered {
        /// The account of the journal.
        account: AccountName,
        /// The first revision that does not fit.
        revision: Revision,
    },
    /// The last revision differs between the account and the journal.
    #[error("the journal of {account} ends at revision {revision}, the account says otherwise")]
    End {
        /// The account of the journal.
        account: AccountName,
        /// The last revision in the journal.
        revision: Revision,
    },
}
