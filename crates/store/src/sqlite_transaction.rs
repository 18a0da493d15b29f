//! Transactions on SQLite.
//!
//! SQLite rolls some back by itself, as where the disk is full, so a connection is not taken for one with
//! or without a transaction: what did not end as it should is rolled back, whether that is needed or not.

use sqlx::Sqlite;
use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::runtime::Handle;

/// A transaction that has begun. Dropped before its end, it is rolled back before anybody else gets the
/// connection.
pub(crate) struct SqliteTransaction {
    /// None once it was given back.
    connection: Option<PoolConnection<Sqlite>>,
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(roll_back(connection));
        }
    }
}

impl SqliteTransaction {
    pub(crate) async fn begin(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let begun = Self { connection: Some(pool.acquire().await?) };
        begun.run("BEGIN IMMEDIATE").await
    }

    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        let mut done = self.run("COMMIT").await?;
        done.connection.take();
        Ok(())
    }

    pub(crate) async fn roll_back(mut self) {
        if let Some(connection) = self.connection.take() {
            roll_back(connection).await;
        }
    }

    async fn run(mut self, statement: &'static str) -> Result<Self, sqlx::Error> {
        sqlx::query::<Sqlite>(statement).execute(self.connection()?).await?;
        Ok(self)
    }
}

/// Rolls back what the connection has begun, if anything, and gives it back.
async fn roll_back(mut connection: PoolConnection<Sqlite>) {
    let done = sqlx::query::<Sqlite>("ROLLBACK").execute(&mut *connection).await;
    if let Err(error) = done
        && !is_without_transaction(&error)
    {
        tracing::debug!(%error, "a transaction ended with its connection");
        // The error of a connection that cannot be closed does not matter any more.
        let _ = connection.close().await;
    }
}

/// Returns whether there was nothing to roll back: SQLite had done so.
fn is_without_transaction(error: &sqlx::Error) -> bool {
    const ERROR: &str = "1";
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref() == Some(ERROR)
}
