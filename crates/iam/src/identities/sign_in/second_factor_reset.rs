//! Resets the second factors of a user who has lost them.

use gatewright_policy::{AccountName, Identity, Login};
use gatewright_store::{Change, Kind};

use crate::core::iam::Iam;
use crate::identities::sign_in::second_factor::last_factor;
use crate::model::account::SecondFactor;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::passkey::PasskeyDocument;
use crate::model::principal_key::user_key;
use crate::model::rights;
use crate::model::totp::TotpDocument;

impl Iam {
    /// Removes all second factors of a user who has lost them. Nobody takes their own, where
    /// the account demands them.
    pub async fn reset_second_factors(
        &self,
        context: &Context,
        login: &Login,
    ) -> Result<(), IamError> {
        self.demand(context, rights::USER_EDIT).await?;
        self.demand_grantor(context).await?;
        let account = context.account();
        let view = self.views.get(account).await?;
        view.users.get(&user_key(account, login)).ok_or(IamError::NotFound)?;
        let user = Identity::user(self.settings.region, account, login);
        if user == context.principal.identity && view.second_factor == SecondFactor::Required {
            return Err(last_factor());
        }
        let gone = self.second_factor_removals(account, login).await?;
        if gone.is_empty() { Ok(()) } else { self.write(context, gone).await }
    }

    /// Returns the changes that remove all second factors of a user.
    pub(crate) async fn second_factor_removals(
        &self,
        account: &AccountName,
        login: &Login,
    ) -> Result<Vec<Change>, IamError> {
        let identity = Identity::user(self.settings.region, account, login);
        let mut gone = Vec::new();
        if self.store.object(account, Kind::Totp, identity.urn()).await?.is_some() {
            gone.push(TotpDocument::delete(identity.urn()));
        }
        for passkey in self.passkeys_of(account, identity.urn()).await? {
            gone.push(PasskeyDocument::delete(passkey.id.as_str()));
        }
        Ok(gone)
    }
}
