//! Notices of changes that others commit, and heartbeats.
//!
//! Invariant: a heartbeat is heard after all notices of changes that were committed before it was
//! sent.

use std::collections::VecDeque;
use std::sync::Arc;

use gatewright_policy::{AccountName, Revision};
use sqlx::postgres::PgListener;
use sqlx::sqlite::Sqlite;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::row::from_row;
use crate::sqlite_file::SqliteFile;

/// The channel that all nodes listen to.
pub(crate) const CHANNEL: &str = "gatewright";

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A change of an account.
    Changed(ChangeNotice),
    /// A key that signs tokens was created or deleted.
    Keys,
    /// A heartbeat of this node, with the number that it was sent with.
    Heartbeat(u64),
}

/// The notice of an account's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNotice {
    /// The account.
    pub account: AccountName,
    /// Its last revision.
    pub revision: Revision,
    /// The first half of the hash of its entry, in hexadecimal; empty where an older program sent
    /// the notice.
    pub hash: String,
    /// True if resources were created or deleted.
    pub resources: bool,
    /// True if guarded APIs were declared, changed or deleted.
    pub apis: bool,
}

/// A notice as PostgreSQL carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Changed(ChangeNotice),
    Keys,
    /// A heartbeat of a node, which may be another.
    Heartbeat {
        node: String,
        number: u64,
    },
}

/// The bits of the digit before the hash. Older programs take anything but `0` alone for a change
/// of resources.
const RESOURCES: u8 = 1;
const APIS: u8 = 2;

impl Message {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Changed(ChangeNotice { account, revision, hash, resources, apis }) => {
                let bits = u8::from(*resources) * RESOURCES + u8::from(*apis) * APIS;
                format!("{revision} {bits}{hash} {account}")
            }
            Self::Keys => "keys".to_owned(),
            Self::Heartbeat { node, number } => format!("heartbeat {node} {number}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "keys" {
            return Some(Self::Keys);
        }
        let (first, rest) = text.split_once(' ')?;
        let (second, third) = rest.split_once(' ')?;
        if first == "heartbeat" {
            return Some(Self::Heartbeat { node: second.to_owned(), number: third.parse().ok()? });
        }
        let (bits, hash) = second.split_at_checked(1)?;
        let bits: u8 = bits.parse().ok()?;
        Some(Self::Changed(ChangeNotice {
            account: AccountName::new(third),
            revision: first.parse().ok()?,
            hash: hash.to_owned(),
            resources: bits & RESOURCES != 0,
            apis: bits & APIS != 0,
        }))
    }
}

/// Receives notices, on a connection of its own.
pub struct Listener(pub(crate) NoticeSource);

/// The source of notices.
pub(crate) enum NoticeSource {
    Postgres { listener: PgListener, node: String },
    Sqlite(FileWatch),
}

/// Reads the changes that any process makes in a database file, each time that a heartbeat asks.
pub(crate) struct FileWatch {
    pub(crate) file: Arc<SqliteFile>,
    pub(crate) heartbeats: watch::Receiver<u64>,
    /// The row of the journal up to which all changes were read, with its hash; none before the
    /// first.
    pub(crate) place: Option<(i64, Vec<u8>)>,
    pub(crate) notices: VecDeque<Notice>,
}

impl Listener {
    /// Waits for the next notification. After an error some may be lost: a new listener is needed.
    pub async fn next(&mut self) -> Result<Notice, StoreError> {
        match &mut self.0 {
            NoticeSource::Postgres { listener, node } => {
                Box::pin(next_message(listener, node)).await
            }
            NoticeSource::Sqlite(watch) => watch.next().await,
        }
    }
}

async fn next_message(listener: &mut PgListener, own: &str) -> Result<Notice, StoreError> {
    loop {
        let failed = |error| StoreError::failed("LISTEN", error);
        let Some(notification) = listener.try_recv().await.map_err(failed)? else {
            return Err(failed(sqlx::Error::PoolClosed));
        };
        match Message::parse(notification.payload()) {
            Some(Message::Changed(change)) => return Ok(Notice::Changed(change)),
            Some(Message::Keys) => return Ok(Notice::Keys),
            // The heartbeat of another node says nothing about how late this one hears.
            Some(Message::Heartbeat { node, number }) if node == own => {
                return Ok(Notice::Heartbeat(number));
            }
            Some(Message::Heartbeat { .. }) | None => {}
        }
    }
}

/// The statements for SQLite alone. Rows of the journal are never deleted, so the identifiers that
/// SQLite gives them rise in the order of commits.
const LAST_PLACE: &str = "SELECT rowid AS place, account, revision, hash, 0 AS resources,
    0 AS apis FROM journal ORDER BY rowid DESC LIMIT 1";
const FROM_PLACE: &str = "SELECT rowid AS place, account, revision, hash,
    kind = 'resource' AND (before IS NULL OR after IS NULL) AS resources, kind = 'api' AS apis
    FROM journal WHERE rowid >= $1 ORDER BY rowid LIMIT 1000";

struct Placed {
    place: i64,
    account: AccountName,
    revision: Revision,
    hash: Vec<u8>,
    resources: i64,
    apis: i64,
}

from_row!(Placed: place, account as AccountName, revision as Revision, hash, resources, apis);

impl FileWatch {
    /// Begins to watch a file, from the changes that are in it now.
    pub(crate) async fn begin(
        file: Arc<SqliteFile>,
        heartbeats: watch::Receiver<u64>,
    ) -> Result<Self, StoreError> {
        let heartbeat = &file.connections().heartbeat;
        let last: Option<Placed> = sqlx::query_as::<Sqlite, Placed>(LAST_PLACE)
            .fetch_optional(heartbeat)
            .await
            .map_err(|error| StoreError::failed("LAST_PLACE", error))?;
        let place = last.map(|last| (last.place, last.hash));
        Ok(Self { file, heartbeats, place, notices: VecDeque::new() })
    }

    async fn next(&mut self) -> Result<Notice, StoreError> {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return Ok(notice);
            }
            self.heartbeats
                .changed()
                .await
                .map_err(|_| StoreError::failed("LISTEN", sqlx::Error::PoolClosed))?;
            let heartbeat = *self.heartbeats.borrow_and_update();
            self.read().await?;
            self.notices.push_back(Notice::Heartbeat(heartbeat));
        }
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        loop {
            if let Err(error) = self.file.check_place() {
                self.file.give_up(&error).await;
                return Err(error);
            }
            let heartbeat = &self.file.connections().heartbeat;
            let (place, hash) = self.place.clone().unwrap_or_default();
            let rows = sqlx::query_as::<Sqlite, Placed>(FROM_PLACE)
                .bind(place)
                .fetch_all(heartbeat)
                .await
                .map_err(|error| StoreError::failed("FROM_PLACE", error))?;
            let mut rows = rows.into_iter();
            // The row that was the last is still there, unless the file has lost it.
            if place != 0 && rows.next().is_none_or(|row| row.place != place || row.hash != hash) {
                return Err(StoreError::LostChanges);
            }
            let before = self.notices.len();
            for row in rows {
                self.place = Some((row.place, row.hash.clone()));
                self.notices.push_back(Notice::Changed(ChangeNotice {
                    account: row.account,
                    revision: row.revision,
                    hash: short_hash(&row.hash),
                    resources: row.resources != 0,
                    apis: row.apis != 0,
                }));
            }
            if self.notices.len() == before {
                return Ok(());
            }
        }
    }
}

/// Returns the first half of the hash of an entry, in hexadecimal, which is enough to tell two pasts
/// apart.
pub(crate) fn short_hash(hash: &[u8]) -> String {
    hex::encode(hash.get(..16).unwrap_or(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_parsed_as_it_was_sent() {
        let changed = |resources, apis| {
            Message::Changed(ChangeNotice {
                account: AccountName::new("aa1-ovh"),
                revision: Revision::new(42),
                hash: "0a1b".to_owned(),
                resources,
                apis,
            })
        };
        let heartbeat = Message::Heartbeat { node: "0a1b".to_owned(), number: 7 };
        for message in [
            changed(false, false),
            changed(true, false),
            changed(false, true),
            changed(true, true),
            Message::Keys,
            heartbeat,
        ] {
            assert_eq!(Message::parse(&message.text()), Some(message));
        }
        for other in ["nonsense", "heartbeat", "x y z", "1 é a", "heartbeat 0a1b x"] {
            assert_eq!(Message::parse(other), None, "{other}");
        }
    }
}
