//! Detaches an identity that is deleted from the policies of its account.

use gatewright_policy::{AccountName, Identity};
use gatewright_store::{Change, Kind, Object, StoreError};

use crate::core::iam::Iam;
use crate::core::write::TRIES;
use crate::model::caller::Context;
use crate::model::document::{Document, Place};
use crate::model::error::IamError;
use crate::model::policy::Policy;

impl Iam {
    /// Deletes the object of an identity, with other changes that belong to it, and detaches the
    /// identity from every policy of the account in the same transaction: another one that is later
    /// given the same name must not inherit them.
    pub(crate) async fn delete_identity<D: Document>(
        &self,
        context: &Context,
        place: Place<'_>,
        identity: &Identity,
        others: &[Change],
    ) -> Result<(), IamError> {
        for _ in 0..TRIES {
            let object = self.store.object(place.account, D::KIND, place.id).await?;
            let Object { document: from, .. } = object.ok_or(IamError::NotFound)?;
            let document = D::read(&from)?;
            context.check_precondition(|| document.tag(place).map(Some))?;
            let mut changes = vec![D::delete_from(place.id, from)];
            changes.extend_from_slice(others);
            changes.extend(self.detachments(context, place.account, identity).await?);
            match self.commit(place.account, context.author(), changes).await {
                // It, or a policy, was changed in the meantime.
                Err(StoreError::Stale) => {}
                done => {
                    done?;
                    return self.detach_late(context, place.account, identity).await;
                }
            }
        }
        Err(IamError::Unavailable(StoreError::Stale))
    }

    /// Detaches a deleted identity from policies that were written while it was deleted, which the
    /// view did not have then.
    async fn detach_late(
        &self,
        context: &Context,
        account: &AccountName,
        identity: &Identity,
    ) -> Result<(), IamError> {
        for _ in 0..TRIES {
            let late = self.detachments(context, account, identity).await?;
            if late.is_empty() {
                return Ok(());
            }
            match self.commit(account, context.author(), late).await {
                Err(StoreError::Stale) => {}
                done => return Ok(done?),
            }
        }
        Err(IamError::Unavailable(StoreError::Stale))
    }

    /// Returns the changes that detach an identity from every policy that names it.
    async fn detachments(
        &self,
        context: &Context,
        account: &AccountName,
        identity: &Identity,
    ) -> Result<Vec<Change>, IamError> {
        let view = self.views.get(account).await?;
        let region = self.settings.region;
        let mut changes = Vec::new();
        for id in view.policies().naming(identity.urn()) {
            let id = id.to_string();
            // The policy of a group's role is none that is stored.
            let Some(object) = self.store.object(account, Kind::Policy, &id).await? else {
                continue;
            };
            let mut policy = Policy::read(&object.document)?;
            policy.rule.identities.retain(|urn| {
                Identity::parse(urn, region).is_ok_and(|one| one.urn() != identity.urn())
            });
            policy.updated_at = Some(context.now);
            changes.push(policy.update(self.place(account, &id), object.document, None)?);
        }
        Ok(changes)
    }
}
