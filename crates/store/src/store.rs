//! The store: opens and closes a database, and listens to its notifications.

mod accounts;
mod activity;
mod changes;
mod journal;
mod keys;
mod objects;
mod rows;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgListener;

use crate::address::Address;
use crate::database::{Database, lock_opening};
use crate::error::StoreError;
use crate::migrations::migrator;
use crate::notice::{CHANNEL, Listener, Notice};
use crate::sql;
use crate::statement::Value;
use rows::Head;

/// An open database with all objects, journals, activity and keys of an installation.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// Several nodes may do so at once; one of them migrates. A schema that is newer than this
    /// program is refused and left alone.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let _lock = lock_opening(address).await?;
        let database = Database::open(address).await?;
        let migrations = migrator();
        let migrated = match &database {
            Database::Sqlite { writer, .. } => migrations.run(writer).await,
            Database::Postgres(pool) => migrations.run(pool).await,
        };
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(found) => {
                let known = migrations.iter().map(|one| one.version).max().unwrap_or_default();
                StoreError::NewerSchema { found, known }
            }
            other => StoreError::Migration(other),
        })?;
        Ok(Self { database })
    }

    /// Closes the database after the running statements.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.first::<Head>(sql::ACCOUNT_HEAD, &[Value::Text("")]).await.map(drop)
    }

    /// Subscribes to the notifications of other nodes; none for a database without other nodes.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let Database::Postgres(pool) = &self.database else { return Ok(None) };
        let failed = |error| StoreError::failed("LISTEN", error);
        let mut listener = PgListener::connect_with(pool).await.map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        Ok(Some(Listener(listener)))
    }

    /// Sends a heartbeat to every node, this one included.
    pub async fn send_heartbeat(&self) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.notify(CHANNEL, &Notice::Heartbeat.text()).await?;
        transaction.commit().await
    }
}
