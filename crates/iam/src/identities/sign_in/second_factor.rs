//! The demand for a second factor: an account may require one of all its people.

use gatewright_policy::AccountName;

use crate::core::iam::Iam;
use crate::model::account::{Profile, SecondFactor};
use crate::model::caller::{Context, PrincipalKind};
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::rights;

/// Creates the error of a person who would be left without a second factor.
pub(super) fn last_factor() -> IamError {
    let message = "this account demands a second factor: set up another one before you remove this";
    IamError::invalid(Fault::Parameter, message)
}

impl Iam {
    /// Sets whether the people of the account need a second factor. Who demands one has one, and has
    /// signed in with it: so they do not lock themselves out.
    pub async fn set_second_factor(
        &self,
        context: &Context,
        input: Input<SecondFactor>,
    ) -> Result<(), IamError> {
        self.demand(context, rights::SECOND_FACTOR_EDIT).await?;
        context.demand_reauthentication()?;
        let second_factor = input?;
        let account = context.account();
        if second_factor == SecondFactor::Required && !self.proves_second_factor(context).await? {
            let message = "set up a second factor of your own and sign in with it, then demand it";
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        self.change(context, self.place(account, account.as_str()), |profile: &mut Profile| {
            profile.second_factor = second_factor;
            Ok(())
        })
        .await
    }

    /// Returns whether the caller has a second factor, and has signed in with it where they have
    /// signed in. Service accounts are no people, and need none.
    async fn proves_second_factor(&self, context: &Context) -> Result<bool, IamError> {
        if context.principal.kind == PrincipalKind::ServiceAccount {
            return Ok(true);
        }
        let view = self.views.get(context.account()).await?;
        let is_proved =
            context.session_authentication().is_none_or(|session| session.has_second_factor);
        Ok(is_proved && view.has_second_factor(context.principal.identity.urn()))
    }

    /// Returns whether a person without an authenticator must sign in with a passkey: a password alone
    /// is not enough, nor may it set up another factor.
    pub(super) async fn needs_passkey(
        &self,
        account: &AccountName,
        person: &str,
    ) -> Result<bool, IamError> {
        let view = self.views.get(account).await?;
        Ok(view.second_factor == SecondFactor::Required && view.has_second_factor(person))
    }

    /// Refuses to remove the caller's last second factor where the account demands one.
    pub(super) async fn demand_another_factor(
        &self,
        context: &Context,
        removed: &str,
    ) -> Result<(), IamError> {
        let view = self.views.get(context.account()).await?;
        let person = context.principal.identity.urn();
        // Of two that are removed at the same time, none may be left: then the person sets up another
        // one at their next request.
        if view.second_factor == SecondFactor::Required
            && view.second_factors_of(person).all(|id| id == removed)
        {
            return Err(last_factor());
        }
        Ok(())
    }
}
