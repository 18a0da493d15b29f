//! Transactions: changes that take effect together or not at all.

use sqlx::{Postgres, Sqlite};

use crate::error::StoreError;
use crate::postgres_pool::within;
use crate::postgres_transaction::PostgresTransaction;
use crate::sqlite_transaction::SqliteTransaction;
use crate::statement::{Row, Statement, Value, bind, in_span};

/// A transaction on either database. Dropped without a commit, it is rolled back; on PostgreSQL that
/// costs the connection, so an expected failure rolls it back itself.
pub(crate) enum Transaction {
    Sqlite(SqliteTransaction),
    Postgres(PostgresTransaction),
}

/// The one statement for PostgreSQL only: it notifies the other nodes, which SQLite does not have.
const NOTIFY: Statement = Statement { name: "NOTIFY", text: "SELECT pg_notify($1, $2)" };

impl Transaction {
    /// Fetches the first row, if there is one.
    pub(crate) async fn first<T: Row>(
        &mut self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        let (sql, span) = (statement.text, statement.span(values));
        let row = async {
            match self {
                Self::Sqlite(inner) => {
                    let query = bind!(sqlx::query_as::<Sqlite, T>(sql), values);
                    query.fetch_optional(inner.connection()?).await
                }
                Self::Postgres(inner) => {
                    let (connection, timeout) = inner.connection();
                    let query = bind!(sqlx::query_as::<Postgres, T>(sql), values);
                    within(timeout, query.fetch_optional(connection)).await
                }
            }
        };
        in_span(row, span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    /// Fetches all rows.
    pub(crate) async fn all<T: Row>(
        &mut self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let (sql, span) = (statement.text, statement.span(values));
        let rows = async {
            match self {
                Self::Sqlite(inner) => {
                    let query = bind!(sqlx::query_as::<Sqlite, T>(sql), values);
                    query.fetch_all(inner.connection()?).await
                }
                Self::Postgres(inner) => {
                    let (connection, timeout) = inner.connection();
                    let query = bind!(sqlx::query_as::<Postgres, T>(sql), values);
                    within(timeout, query.fetch_all(connection)).await
                }
            }
        };
        in_span(rows, span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    /// Runs a statement, and returns the number of changed rows.
    pub(crate) async fn run(
        &mut self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let (sql, span) = (statement.text, statement.span(values));
        let rows = async {
            Ok(match self {
                Self::Sqlite(inner) => {
                    let query = bind!(sqlx::query::<Sqlite>(sql), values);
                    query.execute(inner.connection()?).await?.rows_affected()
                }
                Self::Postgres(inner) => {
                    let (connection, timeout) = inner.connection();
                    let query = bind!(sqlx::query::<Postgres>(sql), values);
                    within(timeout, query.execute(connection)).await?.rows_affected()
                }
            })
        };
        in_span(rows, span).await.map_err(|error| StoreError::failed(statement.name, error))
    }

    /// Notifies the other nodes once the transaction is committed.
    pub(crate) async fn notify(&mut self, channel: &str, payload: &str) -> Result<(), StoreError> {
        if matches!(self, Self::Sqlite(_)) {
            return Ok(());
        }
        self.run(NOTIFY, &[Value::Text(channel), Value::Text(payload)]).await.map(drop)
    }

    /// Commits; once this has returned, the changes survive a crash.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let done = async {
            match self {
                Self::Sqlite(inner) => inner.commit().await,
                Self::Postgres(inner) => inner.commit().await,
            }
        };
        let span = tracing::debug_span!("statement", statement = "COMMIT");
        in_span(done, span).await.map_err(|error| StoreError::failed("COMMIT", error))
    }

    /// Undoes everything. A failure changes nothing: the transaction is not committed.
    pub(crate) async fn roll_back(self) {
        match self {
            Self::Sqlite(inner) => inner.roll_back().await,
            Self::Postgres(inner) => {
                if let Err(error) = inner.roll_back().await {
                    tracing::debug!(%error, "a transaction ended with its connection");
                }
            }
        }
    }
}
