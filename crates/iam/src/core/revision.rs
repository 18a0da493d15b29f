//! Revisions: how far decisions have followed the changes of an account.

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::error::{Fault, IamError};
use crate::model::revision::Revision;

impl Revision {
    /// That of an account as it is seen.
    pub(crate) fn of(view: &View) -> Self {
        Self { account: view.account().to_owned(), number: view.revision() }
    }
}

impl Iam {
    /// The revision of an account that decisions are made at on this node, at least; none where it
    /// is not in memory.
    pub fn revision(&self, account: &str) -> Option<Revision> {
        let number = self.views.revision(account)?;
        Some(Revision { account: account.to_owned(), number })
    }

    /// Makes sure that what is decided from now on follows all changes up to the revision, wherever
    /// they were made; refuses one that does not exist.
    pub async fn wait_for_revision(&self, revision: &Revision) -> Result<(), IamError> {
        let Revision { account, number } = revision;
        match self.views.advance_to(account, *number).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(IamError::NotFound) => {
                let message = format!("there is no revision {revision}");
                Err(IamError::invalid(Fault::Parameter, message))
            }
            Err(error) => Err(error),
        }
    }
}
