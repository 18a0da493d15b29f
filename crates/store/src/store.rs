//! The store: opens and closes a database, and listens to its notifications.

mod accounts;
mod activity;
mod changes;
mod creations;
mod installation;
mod journal;
mod keys;
mod log;
mod merging;
mod objects;
mod room;
mod rows;
mod server;

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;

use crate::address::Address;
use crate::advice::is_missing_privilege;
use crate::database::Database;
use crate::error::StoreError;
use crate::heartbeat::{HeartbeatChannel, HeartbeatSender};
use crate::migrations::migrator;
use crate::notice::{CHANNEL, FileWatch, Listener, NoticeSource};
use crate::opening::{check, lock_opening};
use crate::postgres_pool::{Pool, within};
use crate::sql;
use crate::sqlite_file::Replacement;
use crate::statement::Value;
use rows::Head;

/// The maximum time of a statement, where nothing else is set. With the wait for a connection, a request
/// waits at most half as long again.
pub const TIMEOUT: Duration = Duration::from_secs(4);

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
        Self::open_within(address, TIMEOUT).await
    }

    /// Opens the database in the same way; each statement has a maximum time.
    pub async fn open_within(address: &Address, timeout: Duration) -> Result<Self, StoreError> {
        let _lock = lock_opening(address).await?;
        if let Address::Sqlite(path) = address {
            check(path)?;
        }
        let database = Box::pin(Database::open(address, timeout)).await?;
        migrate(&database).await?;
        Ok(Self { database })
    }

    /// Returns the maximum time of a statement, and of waiting for a connection.
    pub fn timeout(&self) -> Duration {
        self.database.timeout()
    }

    /// Closes the database after the running statements.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Returns what is wrong with the database file at its path, for the operator.
    pub fn file_error(&self) -> Option<Arc<String>> {
        match &self.database {
            Database::Sqlite(file) => file.file_error(),
            Database::Postgres(_) => None,
        }
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.first::<Head>(sql::ACCOUNT_HEAD, &[Value::Text("")]).await.map(drop)
    }

    /// Opens the file anew that is not open any more, or the one that was put in its place. On
    /// PostgreSQL there is none.
    pub async fn open_replacement(&self) -> Result<Replacement, StoreError> {
        let Database::Sqlite(file) = &self.database else { return Ok(Replacement::None) };
        if file.give_up_if_moved().await {
            return Ok(Replacement::None);
        }
        let opened = async {
            let connections = file.open_anew().await?;
            if let Err(error) = migrated(migrator().run(&connections.writer).await) {
                connections.close().await;
                return Err(error);
            }
            Ok(connections)
        };
        match opened.await {
            Ok(connections) => Ok(file.replace(connections).await),
            Err(error) => {
                file.fail(&error);
                Err(error)
            }
        }
    }

    /// Subscribes to the changes that others commit, and begins to send heartbeats, for a node with a
    /// name of its own.
    pub async fn listen(&self, node: &str) -> Result<(HeartbeatSender, Listener), StoreError> {
        let (channel, source) = match &self.database {
            Database::Postgres(Pool { pool, timeout }) => {
                let failed = |error| StoreError::failed("LISTEN", error);
                let listener = async {
                    // A pool of its own: a listener that is dropped waits for a database that does
                    // not answer, and would keep a connection from the others.
                    let options = (*pool.connect_options()).clone();
                    let own = PgPoolOptions::new()
                        .max_connections(1)
                        .acquire_timeout(*timeout)
                        .connect_lazy_with(options);
                    let mut listener = PgListener::connect_with(&own).await?;
                    listener.listen(CHANNEL).await?;
                    Ok(listener)
                };
                let listener = Box::pin(within(*timeout, listener)).await.map_err(failed)?;
                let node = node.to_owned();
                let channel = HeartbeatChannel::Postgres {
                    pool: pool.clone(),
                    connection: None,
                    timeout: *timeout,
                };
                (channel, NoticeSource::Postgres { listener, node })
            }
            Database::Sqlite(file) => {
                let (sender, heartbeats) = watch::channel(0);
                let watch = FileWatch::begin(Arc::clone(file), heartbeats).await?;
                let file = Arc::clone(file);
                (HeartbeatChannel::Sqlite { file, listener: sender }, NoticeSource::Sqlite(watch))
            }
        };
        Ok((HeartbeatSender { node: node.to_owned(), channel }, Listener(source)))
    }
}

/// Brings the schema up to date; refuses one that is newer than this program.
async fn migrate(database: &Database) -> Result<(), StoreError> {
    migrated(match database {
        Database::Sqlite(file) => migrator().run(&file.connections().writer).await,
        Database::Postgres(pool) => migrator().run(&pool.pool).await,
    })
}

fn migrated(done: Result<(), MigrateError>) -> Result<(), StoreError> {
    done.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            let known = migrator().iter().map(|one| one.version).max().unwrap_or_default();
            StoreError::NewerSchema { found, known }
        }
        MigrateError::Execute(sqlx::Error::Database(ref refused))
        | MigrateError::ExecuteMigration(sqlx::Error::Database(ref refused), _)
            if is_missing_privilege(&**refused) =>
        {
            StoreError::MayNotMigrate(error)
        }
        other => StoreError::Migration(other),
    })
}
