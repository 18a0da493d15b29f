//! Sign-in with a password and a code, and changes of passwords.

use gatewright_policy::{AccountName, Identity, Instant, Login, Region, SessionId};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::engine::sign_in_attempts::AttemptKeys;
use crate::identities::sign_in::password_rules::LONGEST;
use crate::model::account::Profile;
use crate::model::caller::{Context, Origin, sign_in_context};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::secret::Secret;
use crate::model::session::{
    AUTHENTICATION_FRESH, Attempt, SessionDocument, SessionToken, SignInError, SignedIn,
};
use crate::model::user::UserDocument;

/// The person that a login names, who may not exist.
struct Person {
    account: AccountName,
    identity: Identity,
    /// The kind and the identifier of their document.
    kind: Kind,
    id: String,
}

impl Person {
    /// Reads a login: the name of an account, for its owner; with `/` and a login, for a user of it.
    fn of_login(login: &str, region: Region) -> Self {
        let (account, login) = match login.trim().split_once('/') {
            Some((account, login)) => (account, Some(Login::new(login))),
            None => (login.trim(), None),
        };
        let account = AccountName::new(account.to_lowercase());
        match login {
            Some(login) => Self {
                identity: Identity::user(region, &account, &login),
                kind: Kind::User,
                id: user_key(&account, &login),
                account,
            },
            None => Self {
                identity: Identity::account_of(region, &account),
                kind: Kind::Account,
                id: account.to_string(),
                account,
            },
        }
    }
}

impl Iam {
    /// Signs in the owner of an account or a user of it.
    pub async fn sign_in(&self, attempt: Attempt) -> Result<SignedIn, SignInError> {
        let Attempt { login, password, origin } = attempt;
        if login.len() > LONGEST {
            return Err(SignInError::Wrong);
        }
        let person = Person::of_login(&login, self.settings.region);
        let object = self.check_login_password(&person, password, &origin).await?;
        if person.kind == Kind::User && !UserDocument::read(&object.document)?.enabled {
            return Err(SignInError::Disabled);
        }
        let (account, identity) = (&person.account, person.identity.urn());
        let mut document = SessionDocument::of(identity, &origin);
        let pending = self.needs_code(account, identity).await?;
        if !pending && self.needs_passkey(account, identity).await? {
            return Err(SignInError::NeedsPasskey);
        }
        if pending {
            document.pending = true;
            document.expires = origin.now.saturating_add(AUTHENTICATION_FRESH);
        }
        let token = self.open_session(account, &document, origin.author(identity)).await?;
        Ok(if pending { SignedIn::NeedsCode(token) } else { SignedIn::Whole(token) })
    }

    /// Verifies the password of a person who is not signed in; returns their document.
    async fn check_login_password(
        &self,
        person: &Person,
        password: Secret,
        origin: &Origin,
    ) -> Result<Object, SignInError> {
        let attempts = &self.sign_in_attempts;
        let device = self.known_device(person.identity.urn(), origin).await?;
        let keys = AttemptKeys::of_login(&person.id, device, origin.ip);
        let begun = attempts.begin(&keys);
        begun.map_err(|seconds| SignInError::TooMany { seconds })?;
        let check = async {
            let object = self.store.object(&person.account, person.kind, &person.id).await?;
            let hash = object.as_ref().and_then(|object| object.secret.clone());
            let is_right = self.is_password(&keys, password, hash).await?;
            Ok::<_, IamError>((object, is_right))
        };
        match check.await {
            Ok((Some(object), true)) => {
                attempts.succeed(&keys);
                Ok(object)
            }
            Ok((object, _)) => {
                if object.is_some() {
                    self.recorder.record_failure(person.identity.clone(), "sign-in", origin);
                }
                Err(SignInError::Wrong)
            }
            Err(error) => {
                attempts.take_back(&keys);
                Err(error.into())
            }
        }
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
            view.sessions.get(id.as_str()).filter(|one| one.pending && !one.is_over(origin.now));
        let document = pending.ok_or(IamError::BadCredential)?;
        let session = self.session_of(&view, &id, document)?;
        let device = self.known_device(&document.identity, origin).await?;
        let keys = AttemptKeys::of_login(&format!("{} code", document.identity), device, origin.ip);
        let context = sign_in_context(session.principal, origin);
        let proof = self.prove_code(&context, &keys, code).await;
        if let Err(SignInError::WrongCode) = &proof {
            let identity = context.principal.identity.clone();
            self.recorder.record_failure(identity, "sign-in-code", origin);
        }
        let proof = proof?;
        self.end_sessions(&context, vec![id]).await?;
        let identity = &context.principal.identity;
        self.open_authenticated_session(identity, Instant::MAX, origin, proof).await
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
        let (kind, id) = self.prove_password(context, old).await?;
        let words = self.own_guessable_words(context).await?;
        let hash = Some(self.hash_password(account, new, words).await?);
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
