//! Heartbeats: they tell a node how late it hears, and read what every node must know at once.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::sqlite::Sqlite;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::installation::{Generation, read_generation};
use crate::notice::{CHANNEL, Message};
use crate::postgres_pool::within;
use crate::row::from_row;
use crate::sql;
use crate::sqlite_file::SqliteFile;

/// The interval of heartbeats on PostgreSQL, where notices come by themselves.
const INTERVAL: Duration = Duration::from_millis(250);

/// The interval of heartbeats on SQLite, where each reads what others have changed.
const INTERVAL_OF_FILE: Duration = Duration::from_millis(50);

/// The state of the database that every heartbeat reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseState {
    /// The generation of the database.
    pub generation: Generation,
    /// The number of the keys that sign tokens.
    pub keys: i64,
    /// The creation time of the newest of them, in microseconds since 1970.
    pub newest_key: i64,
}

struct StateRow {
    generation: String,
    keys: i64,
    newest_key: i64,
}

from_row!(StateRow: generation, keys, newest_key);

/// The statement for PostgreSQL alone: it reads the same as the one for both, and sends the message.
const SEND: &str = "SELECT generation, (SELECT COUNT(*) FROM signing_key) AS keys,
    (SELECT COALESCE(MAX(created), 0) FROM signing_key) AS newest_key,
    pg_notify($1, $2)::text AS sent FROM installation";

/// Sends the heartbeats of a node.
pub struct HeartbeatSender {
    pub(crate) node: String,
    pub(crate) channel: HeartbeatChannel,
}

/// The ways to send heartbeats.
pub(crate) enum HeartbeatChannel {
    /// On a connection of its own, which no load of other statements delays.
    Postgres {
        pool: PgPool,
        connection: Option<PgConnection>,
        timeout: Duration,
    },
    Sqlite {
        file: Arc<SqliteFile>,
        listener: watch::Sender<u64>,
    },
}

impl HeartbeatSender {
    /// Returns the interval at which heartbeats are to be sent.
    pub fn interval(&self) -> Duration {
        match self.channel {
            HeartbeatChannel::Postgres { .. } => INTERVAL,
            HeartbeatChannel::Sqlite { .. } => INTERVAL_OF_FILE,
        }
    }

    /// Sends a heartbeat with a number, and reads what every node must know at once.
    pub async fn send(&mut self, number: u64) -> Result<DatabaseState, StoreError> {
        let row: Option<StateRow> = match &mut self.channel {
            HeartbeatChannel::Postgres { pool, connection, timeout } => {
                let text = Message::Heartbeat { node: self.node.clone(), number }.text();
                let sent = async {
                    // Taken out, so that a connection that failed is not used again.
                    let mut open = if let Some(open) = connection.take() {
                        open
                    } else {
                        let options = pool.connect_options();
                        <PgConnection as sqlx::Connection>::connect_with(&options).await?
                    };
                    let query = sqlx::query_as::<Postgres, StateRow>(SEND).bind(CHANNEL).bind(text);
                    let state = query.fetch_optional(&mut open).await?;
                    *connection = Some(open);
                    Ok(state)
                };
                let state = Box::pin(within(*timeout, sent)).await;
                state.map_err(|error| StoreError::failed("HEARTBEAT", error))?
            }
            HeartbeatChannel::Sqlite { file, listener } => {
                listener.send_replace(number);
                sqlx::query_as::<Sqlite, StateRow>(sql::DATABASE_STATE.text)
                    .fetch_optional(&file.connections().heartbeat)
                    .await
                    .map_err(|error| StoreError::failed("HEARTBEAT", error))?
            }
        };
        let row = row.ok_or(StoreError::Malformed("no identity"))?;
        let generation = read_generation(&row.generation)?;
        Ok(DatabaseState { generation, keys: row.keys, newest_key: row.newest_key })
    }
}
