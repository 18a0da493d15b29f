//! Connections to PostgreSQL, each statement of which has a maximum time.

use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;

/// Connections to PostgreSQL, with the maximum time of each statement.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) pool: PgPool,
    pub(crate) timeout: Duration,
}

impl Pool {
    /// Waits for a connection, for half the time of a statement at most: together they are what a request
    /// waits for a database that has fallen silent.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let waited = tokio::time::timeout(self.timeout / 2, self.pool.acquire()).await;
        waited.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// Waits for an answer of the database, but at most for a time.
pub(crate) async fn within<T>(
    timeout: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(timeout, answer).await.unwrap_or_else(|_| {
        let late = format!("no answer within {timeout:?}");
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late)))
    })
}

/// Closes the connection whose answer did not come, so that nobody else waits for it.
pub(crate) fn closed_if_late<T>(
    mut connection: PoolConnection<Postgres>,
    answer: Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    if matches!(answer, Err(sqlx::Error::Io(_))) {
        connection.close_on_drop();
    }
    answer
}
