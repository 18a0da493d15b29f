//! Creates objects once, where the request has an idempotency key.
//!
//! The key is stored in the transaction of the creation, so there is none without the other. What a
//! repetition is answered comes from the journal, which has the object as it was made. Keys and requests
//! are stored as fingerprints under the master key: a request may hold a password, which a copy of the
//! database must not help to guess.

use gatewright_policy::{AccountName, Instant};
use gatewright_store::{Change, CreationKey, StoreError};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::idempotency_key::{IdempotencyKey, LIFETIME};

/// An object that an earlier request created under the same idempotency key, as it was then.
pub(crate) struct Created<D> {
    pub(crate) owner: AccountName,
    pub(crate) id: String,
    pub(crate) document: D,
}

impl Iam {
    /// Returns the time since when keys count. A clock that jumps ahead makes none of them old.
    fn keys_since(&self) -> Instant {
        self.sources.earliest().saturating_sub(LIFETIME)
    }

    /// Returns what an earlier request created under the idempotency key of this one; fails where
    /// that was another request. The caller has checked the right to create.
    pub(crate) async fn created_before<D: Document>(
        &self,
        context: &Context,
    ) -> Result<Option<Created<D>>, IamError> {
        let Some(key) = context.idempotency_key() else { return Ok(None) };
        let found =
            self.store.creation(&self.tokens.fingerprint(&key.key), self.keys_since()).await?;
        let Some((creation, entry)) = found else { return Ok(None) };
        if creation.request != self.tokens.fingerprint(&key.request) || entry.kind != D::KIND {
            return Err(IamError::KeyReused);
        }
        let made = entry.after.ok_or_else(|| IamError::malformed("a creation of nothing"))?;
        let document = D::read(&made)?;
        Ok(Some(Created { owner: creation.owner, id: entry.object, document }))
    }

    /// Commits the creation of an object in an account, once if the request has an idempotency key.
    pub(crate) async fn create(
        &self,
        context: &Context,
        account: &AccountName,
        creation: Change,
    ) -> Result<(), StoreError> {
        let key = context.idempotency_key().map(|key| self.creation_key(context, key));
        self.commit_once(account, context.author(), vec![creation], key).await
    }

    fn creation_key(&self, context: &Context, key: &IdempotencyKey) -> CreationKey {
        CreationKey {
            key: self.tokens.fingerprint(&key.key),
            account: context.account().clone(),
            request: self.tokens.fingerprint(&key.request),
            since: self.keys_since(),
            most: i64::try_from(self.settings.limits.idempotency_keys).unwrap_or(i64::MAX),
        }
    }
}

/// Builds the error of a repeated creation whose answer had a secret, which is not kept.
pub(crate) fn created_already(what: &str) -> IamError {
    let message = format!(
        "an earlier request with this Idempotency-Key has created {what}; its secret was in that \
         answer and is not kept: delete it, and create another with a new key"
    );
    IamError::Conflict { detail: "AlreadyCreated", message }
}
