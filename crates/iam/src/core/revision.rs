//! Revisions for read-your-writes consistency: the changes of an account that decisions reflect.

use gatewright_policy::AccountName;

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::error::{Fault, IamError};
use crate::model::revision::AccountRevision;

impl AccountRevision {
    /// Returns the revision of a view of an account. The account is the caller's own copy of its name: for
    /// that of the view, threads would contend.
    pub(crate) fn of(account: &AccountName, view: &View) -> Self {
        let generation = Some(view.generation());
        Self { account: account.clone(), generation, number: view.revision() }
    }
}

impl Iam {
    /// Returns the revision of an account that decisions on this node reflect at least; none where
    /// the account is not in memory.
    pub fn revision(&self, account: &AccountName) -> Option<AccountRevision> {
        self.views.in_memory(account).map(|view| AccountRevision::of(account, &view))
    }

    /// Waits until decisions on this node reflect all changes up to the revision, on whichever node
    /// they were made; fails for a revision that does not exist, or that the database has lost.
    pub async fn wait_for_revision(&self, revision: &AccountRevision) -> Result<(), IamError> {
        let AccountRevision { account, generation, number } = revision;
        if let Some(generation) = *generation
            && generation != self.views.generation()
            && generation != self.views.read_generation().await?
        {
            let message = format!(
                "there is no revision {revision} any more: the database was restored or has lost \
                 changes since; leave the revision out, and check what was changed last"
            );
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        match self.views.advance_to(account, *number).await {
            Ok(true) => self.live_catalogue.advance_to(account, *number).await,
            Ok(false) | Err(IamError::NotFound) => {
                let message = format!("there is no revision {revision}");
                Err(IamError::invalid(Fault::Parameter, message))
            }
            Err(error) => Err(error),
        }
    }
}
