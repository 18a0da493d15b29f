//! Takes a database for a server, which is the only one on a file.

use super::Store;
use crate::database::Database;
use crate::error::StoreError;
use crate::last_change::LastChange;
use crate::server_lock::ServerLock;
use crate::since::{Position, Since};
use crate::sqlite_file::Replacement;

impl Store {
    /// Keeps the lock of a server until the database is closed; fails if there is one already. Returns
    /// whether the file is another than it was: one that was restored lacks the last change that a server
    /// has committed at this path.
    pub async fn hold(&self, lock: ServerLock) -> Result<Replacement, StoreError> {
        let Database::Sqlite(file) = &self.database else { return Ok(Replacement::None) };
        file.hold(lock)?;
        let Some(LastChange { account, revision, hash }) = file.last_change() else {
            return Ok(Replacement::None);
        };
        let last = Position { account, revision, hash };
        let mut since = self.journals_since(std::slice::from_ref(&last)).await?;
        let is_lost = matches!(since.remove(&last.account), Some(Since::OtherPast));
        Ok(if is_lost { Replacement::Other } else { Replacement::None })
    }

    /// Forgets the last change, once a new generation has begun.
    pub fn forget_last_change(&self) {
        if let Database::Sqlite(file) = &self.database {
            file.note_last_change(None);
        }
    }
}
