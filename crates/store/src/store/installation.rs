//! Reads and renews the identity of the database.

use super::Store;
use crate::error::StoreError;
use crate::installation::{Generation, Installation, InstallationRow};
use crate::sql;
use crate::statement::Value;
use crate::transaction::Transaction;

impl Store {
    /// Returns the identity of the database, which is `new` where it has none yet.
    pub async fn installation(&self, new: &Installation) -> Result<Installation, StoreError> {
        let mut transaction = self.database.begin().await?;
        let generation = new.generation.to_string();
        let values = [Value::Text(&new.id), Value::Text(&generation)];
        transaction.run(sql::INSTALLATION_ADD, &values).await?;
        finish(transaction).await
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
