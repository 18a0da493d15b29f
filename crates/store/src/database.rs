//! One executor for two databases: the same text, the same values, the same rows.

use std::fs::File;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{FromRow, Postgres, Sqlite, Transaction};

use crate::error::StoreError;

/// Where the database is: `sqlite:PATH` or `postgres://…`.
#[derive(Clone)]
pub enum Address {
    /// A file; it is made when it is missing.
    Sqlite(String),
    /// A server, with credentials in its URL.
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Address {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(StoreError::Address)
            } else {
                Ok(Self::Sqlite(path.to_owned()))
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text
                .parse()
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_| StoreError::Address);
        }
        Err(StoreError::Address)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL of a server holds its password.
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(options) => {
                write!(f, "postgres://{}:{}", options.get_host(), options.get_port())
            }
        }
    }
}

/// A value to bind to a placeholder.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Int(i64),
    Bytes(&'a [u8]),
    MaybeBytes(Option<&'a [u8]>),
}

impl Value<'_> {
    /// A text with a NUL, which PostgreSQL does not take, is in no row.
    fn is_unspeakable(&self) -> bool {
        matches!(self, Self::Text(text) | Self::MaybeText(Some(text)) if text.contains('\0'))
    }
}

/// A row that can be read from either database.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

#[derive(Clone)]
pub(crate) enum Database {
    /// SQLite takes one writer at a time: a pool of one makes the others wait in line.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// Changes that count together or not at all.
pub(crate) enum Work {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Binds the values, whichever database the query is for.
macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match *value {
                Value::Text(text) => query.bind(text),
                Value::MaybeText(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
                Value::MaybeBytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Lets one process at a time open a file and bring it up to date: SQLite cannot wait in line for
/// the change to its write-ahead log, and its migrations have no lock of their own.
pub(crate) async fn turn_to_open(address: &Address) -> Result<Option<File>, StoreError> {
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
    Ok(Some(locked.map_err(sqlx::Error::Io)?))
}

impl Database {
    pub(crate) async fn open(address: &Address) -> Result<Self, StoreError> {
        match address {
            Address::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // An acknowledged change outlives a loss of power.
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_secs(10));
                let pool = |most| SqlitePoolOptions::new().max_connections(most);
                let writer = pool(1).test_before_acquire(false).connect_with(options.clone());
                let writer = writer.await?;
                let readers = pool(8).test_before_acquire(false).connect_lazy_with(options);
                Ok(Self::Sqlite { readers, writer })
            }
            Address::Postgres(options) => {
                let pool = PgPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(Duration::from_secs(5))
                    .connect_with((**options).clone())
                    .await?;
                Ok(Self::Postgres(pool))
            }
        }
    }

    pub(crate) async fn begin(&self) -> Result<Work, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                Work::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Self::Postgres(pool) => Work::Postgres(pool.begin().await?),
        })
    }

    pub(crate) async fn all<T: Row>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        if values.iter().any(Value::is_unspeakable) {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_all(readers).await?
            }
            Self::Postgres(pool) => {
                bind!(sqlx::query_as::<Postgres, T>(sql), values).fetch_all(pool).await?
            }
        })
    }

    pub(crate) async fn first<T: Row>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        if values.iter().any(Value::is_unspeakable) {
            return Ok(None);
        }
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_optional(readers).await?
            }
            Self::Postgres(pool) => {
                bind!(sqlx::query_as::<Postgres, T>(sql), values).fetch_optional(pool).await?
            }
        })
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

impl Work {
    pub(crate) async fn first<T: Row>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        Ok(match self {
            Self::Sqlite(work) => {
                bind!(sqlx::query_as::<Sqlite, T>(sql), values).fetch_optional(&mut **work).await?
            }
            Self::Postgres(work) => {
                bind!(sqlx::query_as::<Postgres, T>(sql), values)
                    .fetch_optional(&mut **work)
                    .await?
            }
        })
    }

    /// Runs a statement; answers how many rows it touched.
    pub(crate) async fn run(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(work) => bind!(sqlx::query::<Sqlite>(sql), values)
                .execute(&mut **work)
                .await?
                .rows_affected(),
            Self::Postgres(work) => bind!(sqlx::query::<Postgres>(sql), values)
                .execute(&mut **work)
                .await?
                .rows_affected(),
        })
    }

    /// Tells the other nodes once the work is committed; a lone database has no other nodes.
    pub(crate) async fn notify(&mut self, notice: &str) -> Result<(), StoreError> {
        if let Self::Postgres(work) = self {
            let values = [Value::Text(crate::notice::CHANNEL), Value::Text(notice)];
            bind!(sqlx::query::<Postgres>("SELECT pg_notify($1, $2)"), &values)
                .execute(&mut **work)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(work) => work.commit().await?,
            Self::Postgres(work) => work.commit().await?,
        }
        Ok(())
    }
}
