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
        if !matches!(since.remove(&last.account), Some(Since::OtherPast)) {
            return Ok(Replacement::None);
        }
        file.note_last_change(None);
        Ok(Replacement::Other)
    }
}
