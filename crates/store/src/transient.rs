//! Distinguishes transient failures from those that need an operator.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// The prefixes of SQLSTATE codes that a retry may not meet again: connection exceptions, a
/// read-only standby, rolled back transactions, a lack of resources, objects or servers in the
/// wrong state (starting, stopping, not accepting connections).
const POSTGRES: &[&str] = &["08", "25006", "40", "53", "55", "57"];

/// The primary result codes of SQLite that a retry may not meet again: busy, locked, out of memory,
/// interrupted, an I/O error, a full disk, a file that cannot be opened, a lock protocol error.
const SQLITE: &[i32] = &[5, 6, 7, 9, 10, 13, 14, 15];

/// Returns whether the database could not be reached or was too busy, so that a retry may succeed.
///
/// Any error that is not known to be transient counts as permanent: an operator who looks in vain
/// costs less than a client that retries for ever.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => has_transient_code(&**error),
        _ => false,
    }
}

fn has_transient_code(error: &dyn DatabaseError) -> bool {
    let code = error.code();
    let code = code.as_deref();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return code.is_some_and(|code| POSTGRES.iter().any(|start| code.starts_with(start)));
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // The low byte of an extended code is the primary one.
        let primary = code.and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
        return primary.is_some_and(|primary| SQLITE.contains(&primary));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_reached_passes_and_what_cannot_be_read_does_not() {
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        for transient in [sqlx::Error::Io(lost), sqlx::Error::PoolTimedOut] {
            assert!(is_transient(&transient), "{transient}");
        }
        let missing = sqlx::Error::ColumnNotFound("head".to_owned());
        for lasting in [sqlx::Error::RowNotFound, missing] {
            assert!(!is_transient(&lasting), "{lasting}");
        }
    }
}
