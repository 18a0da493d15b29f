//! Advises operators on a database that cannot be opened.

use std::io::ErrorKind;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

const UNREACHABLE: &str =
    "check that PostgreSQL is running, and the host and the port in --database";
const LOCKED: &str = "another program has locked it; end that one first";
const FILE: &str = "check that its folder exists and that this user may write to both";

/// Returns what to do about a file that cannot be used.
pub(crate) fn advice_on_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "the folder does not exist: create it, or correct --database",
        ErrorKind::PermissionDenied => {
            "this user may not write there: change the owner or the rights"
        }
        ErrorKind::IsADirectory => "it is a folder: --database must name a file",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::ReadOnlyFilesystem => "the file system can only be read",
        _ => FILE,
    }
}

/// Returns what to do about a database file that cannot be opened.
pub(crate) fn advice_on_sqlite(error: &sqlx::Error) -> &'static str {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return LOCKED;
    }
    let code = error.as_database_error().and_then(DatabaseError::code);
    let primary = code.and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
    match primary {
        Some(5 | 6) => LOCKED,
        Some(8) => "it can only be read; change the owner or the rights of the file and its folder",
        Some(11 | 26) => {
            "it is not an SQLite database, or damaged; correct --database, or restore a copy"
        }
        Some(13) => "the disk is full",
        _ => FILE,
    }
}

/// Returns what to do about a server that cannot be reached, or refuses.
pub(crate) fn advice_on_postgres(error: &sqlx::Error) -> &'static str {
    let code = match error {
        sqlx::Error::Database(error) if error.try_downcast_ref::<PgDatabaseError>().is_some() => {
            error.code()
        }
        sqlx::Error::Tls(_) => return "check sslmode in --database, and the server's certificate",
        sqlx::Error::Protocol(_) => return "check that it is PostgreSQL that listens there",
        _ => None,
    };
    match code.as_deref() {
        Some("3D000") => "create the database (createdb), or correct its name in --database",
        Some("28000" | "28P01") => "check the user and the password in --database, and pg_hba.conf",
        Some("42501") => "the user may not connect to it: GRANT CONNECT ON DATABASE to the user",
        Some(code) if code.starts_with("53") => {
            "the server takes no more connections; raise its limit"
        }
        Some(code) if code.starts_with("57") => "the server is starting or stopping; try again",
        Some(_) => "the server refused; its message follows",
        None => UNREACHABLE,
    }
}

/// Returns whether PostgreSQL refused a statement because the user lacks a privilege.
pub(crate) fn is_missing_privilege(error: &(dyn DatabaseError + 'static)) -> bool {
    error.code().as_deref() == Some("42501")
}
