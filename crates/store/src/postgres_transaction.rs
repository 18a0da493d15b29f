//! Transactions on PostgreSQL, each statement of which has a maximum time.

use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;

use crate::postgres_pool::{Pool, within};

/// A transaction that has begun. Dropped before its end, its connection is closed, which rolls it
/// back even where the database does not answer.
pub(crate) struct PostgresTransaction {
    connection: PoolConnection<Postgres>,
    timeout: Duration,
    has_ended: bool,
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}

impl PostgresTransaction {
    pub(crate) async fn begin(pool: &Pool) -> Result<Self, sqlx::Error> {
        let connection = pool.connection().await?;
        let mut begun = Self { connection, timeout: pool.timeout, has_ended: false };
        begun.run("BEGIN").await?;
        Ok(begun)
    }

    pub(crate) fn connection(&mut self) -> (&mut PgConnection, Duration) {
        (&mut self.connection, self.timeout)
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.finish("COMMIT").await
    }

    pub(crate) async fn roll_back(self) -> Result<(), sqlx::Error> {
        self.finish("ROLLBACK").await
    }

    async fn finish(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.run(statement).await?;
        self.has_ended = true;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        let query = sqlx::query::<Postgres>(statement);
        within(self.timeout, query.execute(&mut *self.connection)).await.map(drop)
    }
}
