//! What can go wrong when remembering.

/// What another object has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The identifier, in this account or another.
    Id,
    /// The name, among the objects of that kind in the account.
    Name,
}

/// Why the database did not do what was asked; nothing was changed.
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
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The journal does not hold together.
    #[error(transparent)]
    Journal(#[from] BrokenChain),
    /// A stored value is not one that this program writes.
    #[error("the database holds something unreadable: {0}")]
    Unreadable(&'static str),
    /// The database cannot be reached, or refused.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The journal of an account is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// An entry is missing.
    #[error("the journal of {account} lacks revision {revision}")]
    Gap {
        /// Whose journal.
        account: String,
        /// The revision that is missing.
        revision: i64,
    },
    /// An entry, or one before it, was altered.
    #[error("the journal of {account} was altered at or before revision {revision}")]
    Altered {
        /// Whose journal.
        account: String,
        /// The first revision that does not fit.
        revision: i64,
    },
    /// The account says another last revision than the journal.
    #[error("the journal of {account} ends at revision {revision}, the account says otherwise")]
    End {
        /// Whose journal.
        account: String,
        /// The last revision in the journal.
        revision: i64,
    },
}
