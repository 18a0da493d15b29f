//! Re-authentication (step-up): sensitive actions in a session ask for it, and keep the form that was
//! sent in the meantime.

use crate::core::iam::Iam;
use crate::engine::sign_in_attempts::AttemptKeys;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::secret::Secret;
use crate::model::session::{LIFETIME, Reauthentication, Session, SignInError};

impl Iam {
    /// Authenticates the caller again; returns their session, in which it counts from now on.
    pub async fn reauthenticate(
        &self,
        context: &Context,
        reauthentication: Reauthentication,
    ) -> Result<Session, SignInError> {
        match reauthentication {
            Reauthentication::Password(password) => {
                self.prove_password(context, password).await?;
            }
            Reauthentication::Code(code) => {
                let codes = format!("{} code", context.principal.identity.urn());
                let keys = AttemptKeys::of_identity(&codes, context.account(), context.ip);
                self.prove_code(context, &keys, code.reveal()).await?;
            }
        }
        let session = self.change_session(context, |document| {
            document.authenticated_at = Some(context.now);
        });
        Ok(session.await?)
    }

    /// Seals a form of the caller for their browser to keep while they re-authenticate. It may hold
    /// secrets, which the browser is not shown.
    pub fn seal_form(
        &self,
        context: &Context,
        target: &str,
        form: &Secret,
    ) -> Result<String, IamError> {
        let form = form.reveal().as_bytes();
        self.tokens.seal_state(&purpose(context, target), form, context.now)
    }

    /// Unseals a form that the caller's browser has kept; none where it was sealed for somebody else,
    /// for another target, or longer ago than a session lasts.
    pub fn open_form(&self, context: &Context, target: &str, sealed: &str) -> Option<Secret> {
        let purpose = purpose(context, target);
        let form = self.tokens.open_state(&purpose, sealed, (context.now, LIFETIME))?;
        Some(std::str::from_utf8(&form).ok()?.to_owned().into())
    }
}

/// Returns the purpose that a form is sealed for.
fn purpose(context: &Context, target: &str) -> String {
    format!("form {} {target}", context.principal.identity.urn())
}
