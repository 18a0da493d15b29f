//! Sign-in with a password and a code, and changes of passwords.

use gatewright_policy::{AccountName, Identity, Instant, Login, SessionId};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::model::account::Profile;
use crate::model::caller::{Context, Origin, sign_in_context};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::secret::Secret;
use crate::model::session::{
    Attempt, CONFIRMED_WITHIN, LONGEST, SessionDocument, SessionToken, SignInError, SignedIn,
    check_password,
};
use crate::model::totp::Proof;
use crate::model::user::UserDocument;

impl Iam {
    /// Signs in the owner of an account or a user of it.
    pub async fn sign_in(&self, attempt: Attempt) -> Result<SignedIn, SignInError> {
        let origin = attempt.origin;
        let now = origin.now;
        if attempt.login.len() > LONGEST {
            return Err(SignInError::Wrong);
        }
        let (account, login) = match attempt.login.trim().split_once('/') {
            Some((account, login)) => (account, Some(Login::new(login))),
            None => (attempt.login.trim(), None),
        };
        let account = AccountName::new(account.to_lowercase());
        let region = self.settings.region;
        let (kind, id, identity) = match &login {
            Some(login) => {
                (Kind::User, user_key(&account, login), Identity::user(region, &account, login))
            }
            None => (Kind::Account, account.to_string(), Identity::account_of(region, &account)),
        };
        let from = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let keys = [format!("{id} {from}"), format!(" {from}")];
        let throttle = &self.sign_in_attempts.throttle;
        if let Some(seconds) = keys.iter().filter_map(|key| throttle.retry_after(key, now)).max() {
            return Err(SignInError::TooMany { seconds });
        }
        // Counted before the check, so that concurrent attempts are limited as well.
        for key in &keys {
            throttle.record_failure(key, now);
        }
        let object = self.store.object(&account, kind, &id).await.map_err(IamError::from)?;
        let hash = object.as_ref().and_then(|object| object.secret.clone());
        if !self.is_password(attempt.password, hash).await? {
            return Err(SignInError::Wrong);
        }
        for key in &keys {
            throttle.reset(key);
        }
        if let (Kind::User, Some(object)) = (kind, object) {
            let user = UserDocument::read(&object.document)?;
            if !user.enabled {
                return Err(SignInError::Disabled);
            }
        }
        let mut document = SessionDocument::of(identity.urn(), &origin);
        let pending = self.needs_code(&account, identity.urn()).await?;
        if pending {
            document.pending = true;
            document.expires = now.saturating_add(CONFIRMED_WITHIN);
        }
        let author = origin.author(identity.urn());
        let token = self.open_session(&account, &document, author).await?;
        Ok(if pending { SignedIn::NeedsCode(token) } else { SignedIn::Whole(token) })
    }

    /// Completes a pending session with a code of the person's authenticator or with a backup code.
    pub async fn confirm_sign_in(
        &self,
        token: &SessionToken,
        code: &str,
        origin: &Origin,
    ) -> Result<SessionToken, SignInError> {
        let (view, id) = (self.views.get(&token.account).await?, token.id());
        let pending =
            view.sessions.get(id.as_str()).filter(|one| one.pending && one.expires > origin.now);
        let document = pending.ok_or(IamError::BadCredential)?;
        let session = self.session_of(&view, &id, document)?;
        let tries = format!("{} code", document.identity);
        if let Some(seconds) = self.sign_in_attempts.throttle.retry_after(&tries, origin.now) {
            return Err(SignInError::TooMany { seconds });
        }
        self.sign_in_attempts.throttle.record_failure(&tries, origin.now);
        let context = sign_in_context(session.principal, origin);
        let proof = self.take_code(&context, code).await?;
        self.sign_in_attempts.throttle.reset(&tries);
        self.end_sessions(&context, vec![id]).await?;
        let factor = match proof {
            Proof::Totp => "TOTP",
            Proof::BackupCode => "BACKUP_CODE",
        };
        self.open_authenticated_session(&context.principal.identity, Instant::MAX, origin, factor)
            .await
    }

    /// Changes the password of the caller, who is the owner of the account or a user of it, and
    /// ends all their sessions but the one with that identifier.
    pub async fn change_password(
        &self,
        context: &Context,
        (old, new): (Secret, Secret),
        kept: &SessionId,
    ) -> Result<(), SignInError> {
        let account = context.account();
        check_password(&new)?;
        let (kind, id) = self.prove_password(context, old).await?;
        let hash = Some(self.hash_password(new).await?);
        let changed_at = Some(context.now);
        let place = self.place(account, &id);
        if kind == Kind::User {
            self.change_with_secret(context, place, hash, |user: &mut UserDocument| {
                user.password_changed_at = changed_at;
                Ok(())
            })
            .await?;
        } else {
            self.change_with_secret(context, place, hash, |profile: &mut Profile| {
                profile.password_changed_at = changed_at;
                Ok(())
            })
            .await?;
        }
        let identity = context.principal.identity.urn();
        let mut others = self.sessions_of(account, identity).await?;
        others.retain(|id| id != kept);
        Ok(self.end_sessions(context, others).await?)
    }
}
