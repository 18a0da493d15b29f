//! The one way to change something: written down, then in force, then acknowledged.

use std::sync::Arc;

use gatewright_store::{Act, Author, Change, Content, Kind, Object, StoreError};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::IamError;

/// So often a change is tried again when another one came between reading and writing.
const TRIES: usize = 20;

impl Iam {
    /// Makes the changes in the caller's account.
    pub(crate) async fn write(
        &self,
        context: &Context,
        changes: Vec<Change>,
    ) -> Result<(), IamError> {
        self.write_in(context.account(), context, changes).await.map_err(|error| match error {
            StoreError::Taken(_) => IamError::Conflict {
                detail: "AlreadyExists",
                message: "something of that name exists already".to_owned(),
            },
            error => error.into(),
        })
    }

    /// Makes the changes in an account that the caller may change.
    ///
    /// Goes on to its end even when nobody waits for the answer any more: a change that is written
    /// down must not stay unknown to this node.
    pub(crate) async fn write_in(
        &self,
        account: &str,
        context: &Context,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        self.write_as(account, context.author(), changes).await
    }

    /// Makes the changes in the name of somebody who has just proved who they are.
    pub(crate) async fn write_as(
        &self,
        account: &str,
        author: Author,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        let (store, views) = (self.store.clone(), Arc::clone(&self.views));
        let account = account.to_owned();
        let work = tokio::spawn(async move {
            let entries = store.write(&account, &author, &changes).await?;
            // On failure the view is forgotten, and the next request reads the database.
            if let Err(error) = views.written(&account, &entries).await {
                tracing::warn!(%error, account, "a view was forgotten");
            }
            Ok(())
        });
        work.await.unwrap_or_else(|error| Err(StoreError::Aborted(error)))
    }

    /// Reads an object of an account, changes it, and writes it back; again from the start when it
    /// was changed in between.
    pub(crate) async fn change<T>(
        &self,
        account: &str,
        context: &Context,
        key: (Kind, &str),
        edit: impl Fn(&Object) -> Result<(Content, T), IamError>,
    ) -> Result<T, IamError> {
        self.change_with_secret(account, context, key, None, edit).await
    }

    /// The same, with a new secret for the object.
    pub(crate) async fn change_with_secret<T>(
        &self,
        account: &str,
        context: &Context,
        (kind, id): (Kind, &str),
        secret: Option<Vec<u8>>,
        edit: impl Fn(&Object) -> Result<(Content, T), IamError>,
    ) -> Result<T, IamError> {
        for _ in 0..TRIES {
            let object = self.store.object(account, kind, id).await?;
            let object = object.ok_or(IamError::NotFound)?;
            let (content, result) = edit(&object)?;
            if secret.is_none() && content.document == object.document {
                return Ok(result);
            }
            let act = Act::Update { from: object.document, content, secret: secret.clone() };
            let change = Change { kind, id: id.to_owned(), act };
            match self.write_in(account, context, vec![change]).await {
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken(_)) => {
                    return Err(IamError::Conflict {
                        detail: "AlreadyExists",
                        message: "something of that name exists already".to_owned(),
                    });
                }
                done => return done.map(|()| result).map_err(IamError::from),
            }
        }
        Err(IamError::Unavailable(StoreError::Stale))
    }
}

/// A change that makes an object.
pub(crate) fn create(kind: Kind, id: String, content: Content) -> Change {
    Change { kind, id, act: Act::Create { content, secret: None } }
}

/// A change that removes an object.
pub(crate) fn delete(kind: Kind, id: &str) -> Change {
    Change { kind, id: id.to_owned(), act: Act::Delete }
}
