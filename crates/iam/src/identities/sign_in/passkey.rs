//! Passkeys (WebAuthn), with which a person signs in instead of with a password and a code.

use gatewright_policy::{AccountName, Identity, Instant, PasskeyId, Revision};
use gatewright_store::{Kind, StoreError};
use serde_json::Value;
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential,
};

use crate::core::iam::Iam;
use crate::engine::tokens::sealing::CHALLENGE_LIFETIME;
use crate::model::caller::{Context, Origin};
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::check_label;
use crate::model::passkey::{Challenge, Passkey, PasskeyDocument, handle, subject};
use crate::model::secret::Secret;
use crate::model::session::{SecondFactorProof, SessionToken, SignInError};

/// The maximum number of passkeys of a person.
pub(crate) const MOST: usize = 20;

/// The name that the state of a sign-in is sealed for, since the person is not known yet.
const NOBODY: &str = "sign-in";

impl Iam {
    fn webauthn(&self) -> Result<&Webauthn, IamError> {
        self.passkeys.as_ref().ok_or_else(|| {
            let message = "passkeys need a public URL with a host name, or localhost";
            IamError::invalid(Fault::Input, message)
        })
    }

    /// Returns whether browsers support passkeys at the public URL.
    pub fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// Lists the passkeys of the caller, in the order of their creation.
    pub async fn passkeys(&self, context: &Context) -> Result<Vec<Passkey>, IamError> {
        self.passkeys_of(context.account(), context.principal.identity.urn()).await
    }

    pub(crate) async fn passkeys_of(
        &self,
        account: &AccountName,
        identity: &str,
    ) -> Result<Vec<Passkey>, IamError> {
        let objects =
            self.store.objects_of_kind(account, Kind::Passkey, Revision::ZERO, i64::MAX).await?;
        let last_used = self.recorder.last_used(account).await?;
        let mut passkeys = Vec::new();
        for object in objects {
            let document = PasskeyDocument::read(&object.document)?;
            if document.identity == identity {
                let id = PasskeyId::new(object.id);
                passkeys.push(Passkey {
                    used_at: last_used.get(&subject(&id)).copied(),
                    id,
                    name: document.name,
                    created_at: document.created_at,
                });
            }
        }
        Ok(passkeys)
    }

    /// Begins the registration of a passkey for the caller.
    pub fn begin_passkey(&self, context: &Context) -> Result<Challenge, IamError> {
        let identity = context.principal.identity.urn();
        let name = identity.rsplit_once(':').map(|(_, name)| name);
        let name = name.ok_or_else(|| IamError::impossible("a URN without a colon"))?;
        let begun = self.webauthn()?.start_passkey_registration(handle(identity), name, name, None);
        let (options, state) = begun.map_err(IamError::internal)?;
        let mut options = serde_json::to_value(options)?;
        // The passkey must be discoverable, to sign in without a login.
        let chosen = options.pointer_mut("/publicKey/authenticatorSelection");
        if let Some(chosen) = chosen.and_then(Value::as_object_mut) {
            chosen.insert("residentKey".to_owned(), "required".into());
            chosen.insert("requireResidentKey".to_owned(), true.into());
        }
        let state = serde_json::to_vec(&state)?;
        let state = self.tokens.seal_state(identity, &state, context.now)?;
        Ok(Challenge { options, state })
    }

    /// Completes the registration of a passkey that the caller's browser has created.
    pub async fn add_passkey(
        &self,
        context: &Context,
        password: Secret,
        name: &str,
        (state, credential): (&str, &str),
    ) -> Result<(), SignInError> {
        self.prove_password(context, password).await?;
        check_label("name", name, 255)?;
        if self.passkeys(context).await?.len() >= MOST {
            let message = format!("a person has at most {MOST} passkeys: delete one");
            return Err(IamError::invalid(Fault::TooLong, message).into());
        }
        let identity = context.principal.identity.urn();
        let refused = || IamError::invalid(Fault::Input, "the passkey was not made: try again");
        let state = self.tokens.open_state(identity, state, (context.now, CHALLENGE_LIFETIME));
        let state = state.ok_or_else(refused)?;
        let state: PasskeyRegistration = serde_json::from_slice(&state).map_err(IamError::from)?;
        let credential: RegisterPublicKeyCredential =
            serde_json::from_str(credential).map_err(|_| refused())?;
        let made = self.webauthn()?.finish_passkey_registration(&credential, &state);
        let credential = made.map_err(|_| refused())?;
        let id = hex::encode(credential.cred_id());
        let document = PasskeyDocument {
            identity: identity.to_owned(),
            name: name.to_owned(),
            created_at: context.now,
            credential,
            answered: Vec::new(),
        };
        let change = document.create(self.place(context.account(), &id), None)?;
        self.write(context, vec![change]).await?;
        Ok(self.record_second_factor(context, SecondFactorProof::Passkey).await?)
    }

    /// Deletes a passkey of the caller, who proves their password: a session that was left open must
    /// not take their best credential away.
    pub async fn remove_passkey(
        &self,
        context: &Context,
        password: Secret,
        id: &PasskeyId,
    ) -> Result<(), SignInError> {
        let own = self.passkeys(context).await?;
        own.iter().find(|one| one.id == *id).ok_or(IamError::NotFound)?;
        self.prove_password(context, password).await?;
        self.demand_another_factor(context, id.as_str()).await?;
        Ok(self.write(context, vec![PasskeyDocument::delete(id.as_str())]).await?)
    }

    /// Begins a sign-in with a passkey.
    pub fn begin_sign_in(&self, now: Instant) -> Result<Challenge, IamError> {
        let begun = self.webauthn()?.start_discoverable_authentication();
        let (options, state) = begun.map_err(IamError::internal)?;
        let options = serde_json::to_value(options)?;
        let state = self.tokens.seal_state(NOBODY, &serde_json::to_vec(&state)?, now)?;
        Ok(Challenge { options, state })
    }

    /// Signs in the person that a passkey belongs to.
    pub async fn sign_in_by_passkey(
        &self,
        (state, credential): (&str, &str),
        origin: &Origin,
    ) -> Result<SessionToken, SignInError> {
        let wrong = || SignInError::WrongPasskey;
        let opened = self.tokens.open_state(NOBODY, state, (origin.now, CHALLENGE_LIFETIME));
        let opened = opened.ok_or_else(wrong)?;
        let state: DiscoverableAuthentication =
            serde_json::from_slice(&opened).map_err(IamError::from)?;
        let credential: PublicKeyCredential =
            serde_json::from_str(credential).map_err(|_| wrong())?;
        let webauthn = self.webauthn()?;
        let identified = webauthn.identify_discoverable_authentication(&credential);
        let (user, id) = identified.map_err(|_| wrong())?;
        let id = hex::encode(id);
        let object = self.store.object_of_any_account(Kind::Passkey, &id).await;
        let object = object.map_err(IamError::from)?.ok_or_else(wrong)?;
        let mut document = PasskeyDocument::read(&object.document)?;
        if user != handle(&document.identity) {
            return Err(wrong());
        }
        let checked = webauthn.finish_discoverable_authentication_v2(
            &credential,
            state,
            &document.credential,
        );
        let checked = checked.map_err(|_| wrong())?;
        let identity = Identity::parse(&document.identity, self.settings.region)
            .map_err(IamError::internal)?;
        let author = origin.author(identity.urn());
        // A challenge counts once: this is written before the session is, and refused as stale where
        // another node was first.
        if !document.record_answer(&opened, (origin.now, self.sources.earliest())) {
            return Err(wrong());
        }
        document.credential.update_credential(&checked);
        let place = self.place(&object.account, &id);
        let change = document.update(place, object.document, None)?;
        match self.commit(&object.account, author, vec![change]).await {
            Err(StoreError::Stale) => return Err(wrong()),
            written => written.map_err(IamError::from)?,
        }
        self.recorder.record_use(&object.account, &subject(&PasskeyId::new(id)), origin.now);
        let factor = SecondFactorProof::Passkey;
        self.open_authenticated_session(&identity, document.created_at, origin, factor).await
    }
}
