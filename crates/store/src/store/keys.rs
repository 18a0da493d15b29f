//! Stores the signing keys of tokens.

use super::Store;
use crate::error::StoreError;
use crate::notice::{CHANNEL, Message};
use crate::sealed_key::SealedKey;
use crate::sql;
use crate::statement::Value;

impl Store {
    /// Reads the signing keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        self.database.all(sql::KEYS, &[]).await
    }

    /// Deletes a key.
    pub async fn delete_key(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.run(sql::KEY_DELETE, &[Value::Text(id)]).await?;
        transaction.notify(CHANNEL, &Message::Keys.text()).await?;
        transaction.commit().await
    }

    /// Stores a key.
    pub async fn add_key(&self, key: &SealedKey) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let values = [
            Value::Text(&key.id),
            Value::Text(&key.algorithm),
            Value::Bytes(&key.sealed),
            Value::Instant(key.created),
        ];
        transaction.run(sql::KEY_ADD, &values).await?;
        transaction.notify(CHANNEL, &Message::Keys.text()).await?;
        transaction.commit().await
    }
}
