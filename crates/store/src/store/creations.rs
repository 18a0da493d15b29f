//! Creates objects under idempotency keys.

use gatewright_policy::{AccountName, Instant, Revision};

use super::Store;
use crate::creation::{Count, Creation, CreationKey};
use crate::error::StoreError;
use crate::journal::Entry;
use crate::sql;
use crate::statement::Value;
use crate::transaction::Transaction;

impl Store {
    /// Reads the creation under an idempotency key that is not older than `since`, with its journal
    /// entry.
    pub async fn creation(
        &self,
        key: &str,
        since: Instant,
    ) -> Result<Option<(Creation, Entry)>, StoreError> {
        let found: Option<Creation> =
            self.database.first(sql::CREATION, &[Value::Text(key)]).await?;
        let Some(creation) = found.filter(|creation| creation.at >= since) else {
            return Ok(None);
        };
        let before = Revision::new(creation.revision.number() - 1);
        let entries = self.journal(&creation.owner, before, 1).await?;
        let entry = entries.into_iter().find(|entry| entry.revision == creation.revision);
        let entry = entry.ok_or(StoreError::Malformed("a creation without its journal entry"))?;
        Ok(Some((creation, entry)))
    }

    /// Deletes the idempotency keys that are older than `since`.
    pub async fn delete_old_creations(&self, since: Instant) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.run(sql::CREATIONS_DELETE, &[Value::Instant(since)]).await?;
        transaction.commit().await
    }
}

/// Stores the idempotency key of a creation, which nobody else has: a change that comes second is
/// refused as a whole.
pub(super) async fn add(
    transaction: &mut Transaction,
    key: &CreationKey,
    (owner, revision, at): (&AccountName, Revision, Instant),
) -> Result<(), StoreError> {
    let account = Value::Account(&key.account);
    let values = [account, Value::Instant(key.since)];
    transaction.run(sql::CREATIONS_OF_ACCOUNT_DELETE, &values).await?;
    let there: Option<Count> = transaction.first(sql::CREATIONS_COUNT, &[account]).await?;
    if there.is_some_and(|there| there.count >= key.most) {
        return Err(StoreError::TooManyKeys(key.most));
    }
    let values = [
        Value::Text(&key.key),
        account,
        Value::Text(&key.request),
        Value::Text(owner.as_str()),
        Value::Revision(revision),
        Value::Instant(at),
    ];
    match transaction.run(sql::CREATION_ADD, &values).await? {
        0 => Err(StoreError::KeyInUse),
        _ => Ok(()),
    }
}
