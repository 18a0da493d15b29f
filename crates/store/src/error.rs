//! Errors of the store.

use crate::transient::is_transient;

/// The key that another object has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The identifier, in this account or another.
    Id,
    /// The name, among the objects of that kind in the account.
    Name,
}

/// Explains why a query or a change failed; unless it says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object to change does not exist in the account, or the account does not exist.
    #[error("no such object")]
    Missing,
    /// The object is no longer what the change was made from: read it again, and try again.
    #[error("the object has changed in the meantime")]
    Stale,
    /// Something else has the identifier or the name.
    #[error("already taken")]
    Taken(Taken),
    /// The address is neither of the two forms.
    #[error("the database address must be sqlite:PATH or postgres://...")]
    Address,
    /// The database belongs to a newer program.
    #[error(
        "the database has schema {found}, and this program knows only up to {known}: \
         it was used by a newer Gatewright, start that one"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version that this program brings.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the schema of the database could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The journal does not hold together.
    #[error(transparent)]
    Journal(#[from] BrokenChain),
    /// A stored value is not one that this program writes.
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
    /// damaged file), or does not admit it: a retry fails as well, and the operator must act.
    #[error("the database is broken, at {statement}")]
    Broken {
        /// The name of the statement that failed.
        statement: &'static str,
        /// The error of the driver.
        #[source]
        source: sqlx::Error,
    },
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

    /// Tells whether a row with the same key exists already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        let Self::Broken { source: sqlx::Error::Database(error), .. } = self else { return false };
        error.is_unique_violation()
    }
}

/// Explains why a journal does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// An entry is missing.
    #[error("the journal of {account} lacks revision {revision}")]
    Gap {
        /// The account of the journal.
        account: String,
        /// The revision that is missing.
        revision: i64,
    },
    /// An entry, or one before it, was altered.
    #[error("the journal of {account} was altered at or before revision {revision}")]
    Altered {
        /// The account of the journal.
        account: String,
        /// The first revision that does not fit.
        revision: i64,
    },
    /// The account says another last revision than the journal.
    #[error("the journal of {account} ends at revision {revision}, the account says otherwise")]
    End {
        /// The account of the journal.
        account: String,
        /// The last revision in the journal.
        revision: i64,
    },
}
