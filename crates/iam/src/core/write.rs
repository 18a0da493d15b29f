//! Commits changes: the one way to write to the database.
//!
//! Invariants: a change is stored with its journal entries in one transaction, then applied to this
//! node's view, then acknowledged; the steps go on when the client has disconnected; a document
//! that has changed since it was read is never overwritten.

use std::sync::Arc;

use gatewright_policy::AccountName;
use gatewright_store::{Author, CauseChain, Change, CreationKey, Entry, Object, StoreError};
use tracing::Instrument;

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::{Document, Place};
use crate::model::error::IamError;

/// The maximum number of attempts at a change, each after another change came between reading and
/// writing.
pub(crate) const TRIES: usize = 20;

impl Iam {
    /// Commits changes in the caller's own account.
    pub(crate) async fn write(
        &self,
        context: &Context,
        changes: Vec<Change>,
    ) -> Result<(), IamError> {
        Ok(self.commit(context.account(), context.author(), changes).await?)
    }

    /// Commits changes in an account.
    pub(crate) async fn commit(
        &self,
        account: &AccountName,
        author: Author,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        self.commit_once(account, author, changes, None).await
    }

    /// Commits changes in an account, under an idempotency key if there is one: stores them, applies them to
    /// this node's view, counts by how much the journal has grown, and only then returns.
    ///
    /// Runs to its end even when the client has disconnected: a change that is stored must not stay
    /// unknown to this node.
    pub(crate) async fn commit_once(
        &self,
        account: &AccountName,
        author: Author,
        changes: Vec<Change>,
        key: Option<CreationKey>,
    ) -> Result<(), StoreError> {
        let (store, views) = (self.store.clone(), Arc::clone(&self.views));
        let rate_limits = Arc::clone(&self.rate_limits);
        let owner = account.clone();
        let work = async move {
            // On failure the view is dropped, and the next request reads the database.
            let forgotten = |error: IamError| {
                tracing::warn!(error = %CauseChain(&error), account = %owner, "a view was forgotten");
            };
            let written = match &key {
                None => store.write(&owner, &author, &changes).await,
                Some(key) => store.write_once(&owner, &author, &changes, key).await,
            };
            match written {
                Ok(entries) => {
                    let grown = entries.iter().map(Entry::size).sum();
                    rate_limits.count_growth(&owner, &author.actor, grown);
                    let applied = views.apply_committed(&owner, &entries, &changes).await;
                    applied.unwrap_or_else(forgotten);
                    Ok(())
                }
                Err(error @ StoreError::Unconfirmed(_)) => {
                    // The change may be stored nevertheless. The database is not asked: it has just not
                    // answered.
                    views.drop_view_of(&owner);
                    Err(error)
                }
                Err(error) => Err(error),
            }
        };
        match tokio::spawn(work.in_current_span()).await {
            Ok(done) => done,
            Err(aborted) => {
                // The change may be stored nevertheless, and the database answers: the view is refreshed.
                if let Err(error) = Box::pin(self.views.refresh(account)).await {
                    tracing::warn!(error = %CauseChain(&error), %account, "a view was forgotten");
                }
                Err(StoreError::Aborted(aborted))
            }
        }
    }

    /// Reads an object, changes its document, and writes it back (optimistic concurrency control);
    /// starts again when the object was changed in between.
    pub(crate) async fn change<D: Document, T>(
        &self,
        context: &Context,
        place: Place<'_>,
        edit: impl Fn(&mut D) -> Result<T, IamError>,
    ) -> Result<T, IamError> {
        self.change_with_secret(context, place, None, edit).await
    }

    /// Changes an object in the same way, and replaces the hash of its secret.
    pub(crate) async fn change_with_secret<D: Document, T>(
        &self,
        context: &Context,
        place: Place<'_>,
        secret: Option<Vec<u8>>,
        edit: impl Fn(&mut D) -> Result<T, IamError>,
    ) -> Result<T, IamError> {
        for _ in 0..TRIES {
            let object = self.store.object(place.account, D::KIND, place.id).await?;
            let Object { document: from, .. } = object.ok_or(IamError::NotFound)?;
            let mut document = D::read(&from)?;
            context.check_precondition(|| document.tag(place).map(Some))?;
            let result = edit(&mut document)?;
            if secret.is_none() && document.content(place)?.document == from {
                return Ok(result);
            }
            let change = document.update(place, from, secret.clone())?;
            match self.commit(place.account, context.author(), vec![change]).await {
                Err(StoreError::Stale) => {}
                done => return done.map(|()| result).map_err(IamError::from),
            }
        }
        Err(IamError::Unavailable(StoreError::Stale))
    }

    /// Reads an object and deletes it, with other changes that belong to it; starts again when the
    /// object was changed in between.
    pub(crate) async fn delete<D: Document>(
        &self,
        context: &Context,
        place: Place<'_>,
        others: &[Change],
        check: impl Fn(&D) -> Result<(), IamError>,
    ) -> Result<(), IamError> {
        for _ in 0..TRIES {
            let object = self.store.object(place.account, D::KIND, place.id).await?;
            let Object { document: from, .. } = object.ok_or(IamError::NotFound)?;
            let document = D::read(&from)?;
            check(&document)?;
            context.check_precondition(|| document.tag(place).map(Some))?;
            let mut changes = vec![D::delete_from(place.id, from)];
            changes.extend_from_slice(others);
            match self.commit(place.account, context.author(), changes).await {
                Err(StoreError::Stale) => {}
                done => return Ok(done?),
            }
        }
        Err(IamError::Unavailable(StoreError::Stale))
    }
}
