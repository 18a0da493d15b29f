//! Distinguishes transient failures from those that need an operator, and those to write from others.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// The prefixes of SQLSTATE codes that a retry may not meet again: connection exceptions, a
/// read-only standby, rolled back transactions, a lack of resources, objects or servers in the
/// wrong state (starting, stopping, not accepting connections).
const POSTGRES: &[&str] = &["08", "25006", "40", "53", "55", "57"];

/// The primary result codes of SQLite that a retry may not meet again: busy, locked, out of memory,
/// a file that can only be read, interrupted, an I/O error, a full disk, a file that cannot be opened, a
/// lock protocol error.
const SQLITE: &[i32] = &[5, 6, 7, 8, 9, 10, 13, 14, 15];

/// The codes of PostgreSQL and of SQLite for a lack of room: a full disk, and (SQLite alone) a write, a
/// truncation, or the growth of the index of the log that failed, as by a limit of the size of files.
const NO_ROOM: (&str, &[i32]) = ("53100", &[13, 778, 1_546, 4_874]);

/// The SQLSTATE of a transaction that can only read, and the primary result code of such a file.
const READ_ONLY: (&str, i32) = ("25006", 8);

/// The reason why the database takes no changes, though it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWrites {
    /// There is no room on its disk.
    NoRoom,
    /// The database can only be read.
    ReadOnly,
}

/// Returns why the database takes no changes; none where that is not the reason of an error.
pub(crate) fn no_writes(error: &sqlx::Error) -> Option<NoWrites> {
    let error = error.as_database_error()?;
    let code = error.code()?;
    let (is_full, is_read_only) = if is_of_postgres(error) {
        (*code == *NO_ROOM.0, *code == *READ_ONLY.0)
    } else {
        let code = code.parse::<i32>().ok()?;
        (NO_ROOM.1.contains(&code), primary(code) == READ_ONLY.1)
    };
    if is_full { Some(NoWrites::NoRoom) } else { is_read_only.then_some(NoWrites::ReadOnly) }
}

fn is_of_postgres(error: &(dyn DatabaseError + 'static)) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

/// Returns the primary result code of SQLite: the low byte of an extended one.
fn primary(code: i32) -> i32 {
    code & 0xff
}

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

fn has_transient_code(error: &(dyn DatabaseError + 'static)) -> bool {
    let code = error.code();
    let code = code.as_deref();
    if is_of_postgres(error) {
        return code.is_some_and(|code| POSTGRES.iter().any(|start| code.starts_with(start)));
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        let code = code.and_then(|code| code.parse::<i32>().ok());
        return code.is_some_and(|code| SQLITE.contains(&primary(code)));
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
