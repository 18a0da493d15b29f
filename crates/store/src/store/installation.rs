//! Reads and renews the identity of the database.

use super::Store;
use crate::cause_chain::CauseChain;
use crate::database::Database;
use crate::error::StoreError;
use crate::installation::{Generation, Installation, InstallationRow};
use crate::sql;
use crate::statement::{Statement, Value};
use crate::transaction::Transaction;

/// The one statement for PostgreSQL only beside that of notices: the server, its timeline, the
/// database and the table. A copy of the table has another number.
const POSTGRES_PLACE: Statement = Statement {
    name: "PLACE",
    text: "SELECT CONCAT_WS('/', (SELECT system_identifier FROM pg_control_system()),
        SUBSTR(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        CAST('installation' AS regclass)::oid)",
};

impl Store {
    /// Returns the identity of the database, which is `new` where it has none yet. A database that is
    /// in another place than it was begins a new generation: it was restored there, or is a replica that
    /// was promoted, which may lack changes.
    pub async fn installation(&self, new: &Installation) -> Result<Installation, StoreError> {
        let place = self.place().await;
        let mut transaction = self.database.begin().await?;
        let generation = new.generation.to_string();
        let values = [Value::Text(&new.id), Value::Text(&generation)];
        transaction.run(sql::INSTALLATION_ADD, &values).await?;
        if let Some(place) = place {
            let values = [Value::Text(&place), Value::Text(&generation)];
            transaction.run(sql::PLACE_SET, &values).await?;
        }
        finish(transaction).await
    }

    /// Returns where the database is, if PostgreSQL tells; some servers of its kind do not.
    async fn place(&self) -> Option<String> {
        if matches!(self.database, Database::Sqlite(_)) {
            return None;
        }
        match self.database.first(POSTGRES_PLACE, &[]).await {
            Ok(found) => found.map(|(place,)| place),
            Err(error) => {
                tracing::debug!(error = %CauseChain(&error), "the database does not tell its place");
                None
            }
        }
    }

    /// Reads the generation of the database.
    pub async fn generation(&self) -> Result<Generation, StoreError> {
        let found: Option<InstallationRow> = self.database.first(sql::INSTALLATION, &[]).await?;
        let found: Installation = found.ok_or(StoreError::Malformed("no identity"))?.try_into()?;
        Ok(found.generation)
    }

    /// Begins a new generation after `from`. Where another node has done so already, that one
    /// stays. Returns the generation that the database has now.
    pub async fn begin_generation(
        &self,
        from: Generation,
        to: Generation,
    ) -> Result<Generation, StoreError> {
        let mut transaction = self.database.begin().await?;
        let (from, to) = (from.to_string(), to.to_string());
        transaction.run(sql::GENERATION_BEGIN, &[Value::Text(&from), Value::Text(&to)]).await?;
        Ok(finish(transaction).await?.generation)
    }
}

async fn finish(mut transaction: Transaction) -> Result<Installation, StoreError> {
    let found: Option<InstallationRow> = transaction.first(sql::INSTALLATION, &[]).await?;
    transaction.commit().await?;
    found.ok_or(StoreError::Malformed("no identity"))?.try_into()
}
