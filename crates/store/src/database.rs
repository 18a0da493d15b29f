//! Runs the same statements on SQLite and PostgreSQL.

use std::fs::File;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Postgres, Sqlite};
use tracing::Instrument;

use crate::address::Address;
use crate::error::StoreError;
use crate::statement::{Row, Statement, Value, bind};
use crate::transaction::Transaction;

#[derive(Clone)]
pub(crate) enum Database {
    /// SQLite has one writer at a time: a pool of one connection queues the others.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// Locks the opening of a database file, so that one process at a time migrates it.
///
/// SQLite cannot wait for the switch to its write-ahead log, and its migrations have no lock of
/// their own.
pub(crate) async fn lock_opening(address: &Address) -> Result<Option<File>, StoreError> {
    let Address::Sqlite(path) = address else {
        return Ok(None);
    };
    let path = format!("{path}-opening");
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    let locked = locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    locked.map(Some).map_err(|error| StoreError::failed("OPEN", sqlx::Error::Io(error)))
}

impl Database {
    pub(crate) async fn open(address: &Address) -> Result<Self, StoreError> {
        let database = match address {
            Address::Sqlite(path) => Self::open_sqlite(path).await,
            Address::Postgres(options) => {
                let pool = PgPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(Duration::from_secs(5))
                    .connect_with((**options).clone());
                pool.await.map(Self::Postgres)
            }
        };
        database.map_err(|error| StoreError::failed("OPEN", error))
    }

    async fn open_sqlite(path: &str) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Acknowledged changes must survive a power failure.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = |most| SqlitePoolOptions::new().max_connections(most);
        let writer = pool(1).test_before_acquire(false).connect_with(options.clone()).await?;
        let readers = pool(8).test_before_acquire(false).connect_lazy_with(options);
        Ok(Self::Sqlite { readers, writer })
    }

    /// Begins a transaction that writes; on SQLite it waits for the one writer.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        let begun = async {
            Ok(match self {
                Self::Sqlite { writer, .. } => {
                    Transaction::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
                }
                Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
            })
        };
        let span = tracing::debug_span!("statement", statement = "BEGIN");
        begun.instrument(span).await.map_err(|error| StoreError::failed("BEGIN", error))
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
                Self::Sqlite { readers, .. } => {
                    bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_all(readers).await
                }
                Self::Postgres(pool) => {
                    bind!(sqlx::query_as::<Postgres, T>(sql), values).fetch_all(pool).await
                }
            }
        };
        rows.instrument(span).await.map_err(|error| StoreError::failed(statement.name, error))
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
                Self::Sqlite { readers, .. } => {
                    bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_optional(readers).await
                }
                Self::Postgres(pool) => {
                    bind!(sqlx::query_as::<Postgres, T>(sql), values).fetch_optional(pool).await
                }
            }
        };
        row.instrument(span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
