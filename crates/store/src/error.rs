//! Errors of the store.

use gatewright_policy::{AccountName, Revision};

use crate::transient::is_transient;

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
    /// The task of the change ended early: it is unknown whether the change took effect.
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
