//! Runs the same statements on SQLite and PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, Postgres, Sqlite};

use crate::address::Address;
use crate::advice::advice_on_postgres;
use crate::error::StoreError;
use crate::postgres_pool::{Pool, closed_if_late, within};
use crate::postgres_transaction::PostgresTransaction;
use crate::sqlite_file::SqliteFile;
use crate::sqlite_transaction::SqliteTransaction;
use crate::statement::{Row, Statement, Value, bind, in_span};
use crate::transaction::Transaction;

#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(Arc<SqliteFile>),
    Postgres(Pool),
}

/// The maximum time of the attempt to connect that finds out why none has succeeded.
const LAST_ATTEMPT: Duration = Duration::from_secs(2);

/// Creates the error of a database that cannot be opened.
fn open_error(address: &Address, source: sqlx::Error) -> StoreError {
    match address {
        Address::Sqlite(path) => StoreError::open_sqlite(path, source),
        Address::Postgres(_) => {
            let advice = advice_on_postgres(&source);
            StoreError::Open { database: address.to_string(), advice, source }
        }
    }
}

/// Returns the reason for which a pool had no connection in time, which it does not tell: that of
/// one more attempt.
async fn cause_of(error: sqlx::Error, options: &PgConnectOptions) -> sqlx::Error {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error;
    }
    match within(LAST_ATTEMPT, PgConnection::connect_with(options)).await {
        Ok(_) => error,
        Err(cause) => cause,
    }
}

impl Database {
    pub(crate) async fn open(address: &Address, timeout: Duration) -> Result<Self, StoreError> {
        let database = match address {
            Address::Sqlite(path) => {
                SqliteFile::open(path, timeout).await.map(|file| Self::Sqlite(Arc::new(file)))
            }
            Address::Postgres(options) => {
                let pool = PgPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(timeout)
                    .connect_with((**options).clone());
                match pool.await {
                    Ok(pool) => Ok(Self::Postgres(Pool { pool, timeout })),
                    Err(error) => Err(cause_of(error, options).await),
                }
            }
        };
        database.map_err(|error| open_error(address, error))
    }

    /// Begins a transaction that writes; on SQLite it waits for the one writer.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        if let Self::Sqlite(file) = self {
            file.check_place()?;
        }
        let begun = async {
            Ok(match self {
                Self::Sqlite(file) => {
                    let connections = file.connections();
                    Transaction::Sqlite(SqliteTransaction::begin(&connections.writer).await?)
                }
                Self::Postgres(pool) => {
                    Transaction::Postgres(PostgresTransaction::begin(pool).await?)
                }
            })
        };
        let span = tracing::debug_span!("statement", statement = "BEGIN");
        in_span(begun, span).await.map_err(|error| StoreError::failed("BEGIN", error))
    }

    /// Fetches all rows.
    pub(crate) async fn all<T: Row>(
        &self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        if values.iter().any(Value::has_nul) {
            return Ok(Vec::new());
        }
        let (sql, span) = (statement.text, statement.span(values));
        let rows = async {
            match self {
                Self::Sqlite(file) => {
                    let readers = &file.connections().readers;
                    bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_all(readers).await
                }
                Self::Postgres(pool) => {
                    let mut connection = pool.connection().await?;
                    let query = bind!(sqlx::query_as::<Postgres, T>(sql), values);
                    let rows = within(pool.timeout, query.fetch_all(&mut *connection)).await;
                    closed_if_late(connection, rows)
                }
            }
        };
        in_span(rows, span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    /// Fetches the first row, if there is one.
    pub(crate) async fn first<T: Row>(
        &self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        if values.iter().any(Value::has_nul) {
            return Ok(None);
        }
        let (sql, span) = (statement.text, statement.span(values));
        let row = async {
            match self {
                Self::Sqlite(file) => {
                    let readers = &file.connections().readers;
                    bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_optional(readers).await
                }
                Self::Postgres(pool) => {
                    let mut connection = pool.connection().await?;
                    let query = bind!(sqlx::query_as::<Postgres, T>(sql), values);
                    let row = within(pool.timeout, query.fetch_optional(&mut *connection)).await;
                    closed_if_late(connection, row)
                }
            }
        };
        in_span(row, span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    /// Returns the maximum time of a statement, and of waiting for a connection.
    pub(crate) fn timeout(&self) -> Duration {
        match self {
            Self::Sqlite(file) => file.timeout(),
            Self::Postgres(pool) => pool.timeout,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(file) => file.close().await,
            Self::Postgres(pool) => pool.pool.close().await,
        }
    }
}
