//! Stores objects and their journal, on SQLite or PostgreSQL.
//!
//! Everything that an account owns is an [`Object`]: a kind, an identifier, perhaps a unique name,
//! and a document that only the use cases interpret. [`Store::write`] applies [`Change`]s and
//! writes one journal [`Entry`] for each in the same transaction; there is no other way to change
//! an object. An entry holds the object's document before and after, so the journal is both the
//! audit log and the feed by which nodes update their memory.
//!
//! This is the only crate that knows SQL. One text of each statement and one set of migrations
//! serve both databases.

mod activity;
mod address;
mod advice;
mod byte_lock;
mod cause_chain;
mod creation;
mod database;
mod disk_reserve;
mod error;
mod file_identity;
mod heartbeat;
mod installation;
mod journal;
mod last_change;
mod log;
mod migrations;
mod notice;
mod object;
mod opening;
mod postgres_pool;
mod postgres_transaction;
mod row;
mod sealed_key;
mod server_lock;
mod since;
mod sql;
mod sqlite_file;
mod sqlite_transaction;
mod statement;
mod store;
mod term_filter;
#[cfg(test)]
mod tests;
mod transaction;
mod transient;

pub use activity::{ActivityBatch, HourlyCount, LastUsed};
pub use address::Address;
pub use cause_chain::CauseChain;
pub use creation::{Creation, CreationKey};
pub use error::{BrokenChain, StoreError, Taken};
pub use heartbeat::{DatabaseState, HeartbeatSender};
pub use installation::{Generation, Installation};
pub use journal::{Author, Entry, EntryHash};
pub use log::{Listing, LogPage, LogSize, LogSpan, MergeablePage, PAGE_SPAN, PageListing};
pub use notice::{ChangeNotice, Listener, Notice};
pub use object::{Act, Change, Content, Kind, Object};
pub use sealed_key::SealedKey;
pub use server_lock::ServerLock;
pub use since::{Position, Since};
pub use sqlite_file::Replacement;
pub use store::{Store, TIMEOUT};
pub use term_filter::{Term, TermFilter};
pub use transient::NoWrites;
