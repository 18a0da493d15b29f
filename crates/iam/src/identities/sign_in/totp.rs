//! Multi-factor authentication: codes of an authenticator (TOTP, RFC 6238), and backup codes for
//! when it is lost.

use gatewright_policy::AccountName;
use gatewright_store::{Kind, Object};
use zeroize::Zeroizing;

use crate::core::iam::Iam;
use crate::engine::sign_in_attempts::AttemptKeys;
use crate::engine::tokens::sealing::CHALLENGE_LIFETIME;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::secret::Secret;
use crate::model::session::{SecondFactorProof, SignInError};
use crate::model::totp::{
    BACKUP_CODE_LENGTH, NewTotp, Sealed, TotpDocument, TotpStatus, backup_hash, is_backup_code,
    normalize_code, seconds, totp,
};

/// The number of backup codes; each is valid once.
const BACKUP_CODES: usize = 10;

/// Formats a backup code: 80 random bits in groups of four characters, without letters that look
/// alike.
fn backup_code(bits: &[u8; BACKUP_CODE_LENGTH]) -> Result<Secret, IamError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(19);
    for (place, bits) in bits.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(bits % 32));
        let letter = letter.ok_or_else(|| IamError::impossible("a letter beyond the alphabet"))?;
        text.push(char::from(*letter));
    }
    Ok(text.into())
}

/// Describes a secret to the person who enrols.
fn enrolled(identity: &str, secret: Secret, state: String) -> Result<NewTotp, IamError> {
    let name = identity.rsplit_once(':').map(|(_, name)| name);
    let name = name.ok_or_else(|| IamError::impossible("a URN without a colon"))?;
    let url = totp(&secret, name)?.to_url().map_err(IamError::internal)?;
    Ok(NewTotp { secret, url: url.into(), state })
}

impl Iam {
    /// Returns whether the caller has an authenticator, and its backup codes.
    pub async fn totp_status(&self, context: &Context) -> Result<TotpStatus, IamError> {
        let identity = context.principal.identity.urn();
        let object = self.store.object(context.account(), Kind::Totp, identity).await?;
        let document = object.map(|one| TotpDocument::read(&one.document));
        Ok(document.transpose()?.map_or_else(TotpStatus::default, |document| TotpStatus {
            has_totp: true,
            backup_codes_left: document.backup_codes_left,
        }))
    }

    /// Generates a new TOTP secret for the caller; it is not stored until it is confirmed.
    pub fn new_totp(&self, context: &Context) -> Result<NewTotp, IamError> {
        let bits = Zeroizing::new(self.sources.bytes::<20>()?);
        let secret = Secret::from(totp_rs::Secret::from(bits.as_slice()).to_base32());
        let identity = context.principal.identity.urn();
        let state = self.tokens.seal_state(identity, secret.reveal().as_bytes(), context.now)?;
        enrolled(identity, secret, state)
    }

    /// Returns the TOTP secret of a state that the caller was given, to be confirmed once more; none
    /// where the state is outdated. The secret of an authenticator that is active is not shown again.
    pub async fn unconfirmed_totp(
        &self,
        context: &Context,
        state: &str,
    ) -> Result<Option<NewTotp>, IamError> {
        let (account, identity) = (context.account(), context.principal.identity.urn());
        let Some(secret) = self.secret_of_state(context, state)? else { return Ok(None) };
        let there = self.store.object(account, Kind::Totp, identity).await?;
        if there.is_some_and(|there| self.is_active(identity, &there, &secret)) {
            return Ok(None);
        }
        enrolled(identity, secret, state.to_owned()).map(Some)
    }

    fn secret_of_state(&self, context: &Context, state: &str) -> Result<Option<Secret>, IamError> {
        let identity = context.principal.identity.urn();
        let secret = self.tokens.open_state(identity, state, (context.now, CHALLENGE_LIFETIME));
        let text = secret.as_deref().map(|secret| std::str::from_utf8(secret)).transpose();
        Ok(text.map_err(IamError::internal)?.map(|text| text.to_owned().into()))
    }

    fn is_active(&self, identity: &str, there: &Object, secret: &Secret) -> bool {
        self.unseal_totp(identity, there).is_ok_and(|known| known.secret == *secret)
    }

    /// Activates an authenticator once it has proved a code, replacing any earlier one: the same answer
    /// counts once. Only this answer contains the backup codes, which are stored as hashes.
    pub async fn confirm_totp(
        &self,
        context: &Context,
        password: Secret,
        (state, code): (&str, &str),
    ) -> Result<Vec<Secret>, SignInError> {
        let (account, identity) = (context.account(), context.principal.identity.urn());
        // First, since with a wrong password too, the page shows a new secret then, and must say so.
        let outdated = "the page was open for too long: take the new secret";
        let secret = self.secret_of_state(context, state)?;
        let secret = secret.ok_or_else(|| IamError::invalid(Fault::Input, outdated))?;
        self.prove_password(context, password).await?;
        let step = totp(&secret, "")?.check(normalize_code(code).reveal(), seconds(context.now)?);
        let step = step.ok_or(SignInError::WrongCode)?;
        let there = self.store.object(account, Kind::Totp, identity).await;
        let there = there.map_err(IamError::from)?;
        if there.as_ref().is_some_and(|there| self.is_active(identity, there, &secret)) {
            return Err(SignInError::WrongCode);
        }
        let codes = self.new_backup_codes()?;
        let sealed =
            Sealed { secret, backup: codes.iter().map(|one| backup_hash(one.reveal())).collect() };
        let sealed = Some(self.seal_totp(identity, &sealed)?);
        let document = TotpDocument {
            created_at: context.now,
            last_step: step,
            backup_codes_left: BACKUP_CODES,
        };
        let place = self.place(account, identity);
        let change = match there {
            None => document.create(place, sealed)?,
            Some(there) => document.update(place, there.document, sealed)?,
        };
        self.write(context, vec![change]).await?;
        self.record_second_factor(context, SecondFactorProof::Totp).await?;
        Ok(codes)
    }

    fn new_backup_codes(&self) -> Result<Vec<Secret>, IamError> {
        let bits = || self.sources.bytes().map(Zeroizing::new);
        (0..BACKUP_CODES).map(|_| backup_code(&*bits()?)).collect()
    }

    /// Removes the authenticator of the caller, with its backup codes.
    pub async fn remove_totp(
        &self,
        context: &Context,
        password: Secret,
    ) -> Result<(), SignInError> {
        self.prove_password(context, password).await?;
        let identity = context.principal.identity.urn();
        self.demand_another_factor(context, identity).await?;
        Ok(self.write(context, vec![TotpDocument::delete(identity)]).await?)
    }

    fn seal_totp(&self, identity: &str, sealed: &Sealed) -> Result<Vec<u8>, IamError> {
        self.tokens.seal(identity, serde_json::to_vec(sealed)?)
    }

    fn unseal_totp(&self, identity: &str, object: &Object) -> Result<Sealed, IamError> {
        let sealed = object.secret.as_deref();
        let sealed =
            sealed.ok_or_else(|| IamError::malformed("an authenticator without a secret"))?;
        let opened = self.tokens.unseal(identity, sealed).ok_or_else(|| {
            IamError::internal(std::io::Error::other("a second factor is sealed by another key"))
        })?;
        let opened = serde_json::from_slice(&opened);
        opened.map_err(|error| IamError::malformed_document(Kind::Totp, error))
    }

    /// Verifies a code of the caller, with a limit on failures.
    pub(crate) async fn prove_code(
        &self,
        context: &Context,
        keys: &AttemptKeys,
        code: &str,
    ) -> Result<SecondFactorProof, SignInError> {
        // Nobody guesses a backup code, so nobody is kept from using theirs.
        let is_guessable = !is_backup_code(code);
        if is_guessable {
            let begun = self.sign_in_attempts.begin(keys);
            begun.map_err(|seconds| SignInError::TooMany { seconds })?;
        }
        let proof = self.take_code(context, code).await;
        match &proof {
            Ok(_) if is_guessable => self.sign_in_attempts.succeed(keys),
            // The database failed: nothing was tried.
            Err(SignInError::Failed(_)) if is_guessable => self.sign_in_attempts.take_back(keys),
            _ => {}
        }
        proof
    }

    /// Consumes a code of a person's authenticator or a backup code; each is accepted once.
    async fn take_code(
        &self,
        context: &Context,
        code: &str,
    ) -> Result<SecondFactorProof, SignInError> {
        let (account, identity) = (context.account(), context.principal.identity.urn());
        let object = self.store.object(account, Kind::Totp, identity).await;
        let object = object.map_err(IamError::from)?.ok_or(SignInError::WrongCode)?;
        let mut sealed = self.unseal_totp(identity, &object)?;
        let mut document = TotpDocument::read(&object.document)?;
        let step =
            totp(&sealed.secret, "")?.check(normalize_code(code).reveal(), seconds(context.now)?);
        let hash = backup_hash(code);
        let proof = match step {
            Some(step) if step > document.last_step => {
                document.last_step = step;
                SecondFactorProof::Totp
            }
            _ => {
                let place = sealed.backup.iter().position(|known| *known == hash);
                sealed.backup.swap_remove(place.ok_or(SignInError::WrongCode)?);
                document.backup_codes_left = sealed.backup.len();
                SecondFactorProof::BackupCode
            }
        };
        let secret = Some(self.seal_totp(identity, &sealed)?);
        let change = document.update(self.place(account, identity), object.document, secret)?;
        // Another request consumed the same code in the meantime.
        match self.commit(account, context.author(), vec![change]).await {
            Err(gatewright_store::StoreError::Stale) => Err(SignInError::WrongCode),
            written => written.map(|()| proof).map_err(|error| IamError::from(error).into()),
        }
    }

    /// Returns whether a person must confirm a sign-in with a second factor.
    pub(crate) async fn needs_code(
        &self,
        account: &AccountName,
        identity: &str,
    ) -> Result<bool, IamError> {
        Ok(self.store.object(account, Kind::Totp, identity).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_code_is_known_by_its_hash_however_it_is_typed() {
        let code = backup_code(&[7; 16]).unwrap();
        let (code, other) = (code.reveal(), backup_code(&[8; 16]).unwrap());
        assert_eq!(code.len(), 19, "{code}");
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(backup_hash(&typed), backup_hash(code));
        assert_ne!(backup_hash(other.reveal()), backup_hash(code));
    }

    #[test]
    fn a_secret_that_was_sealed_before_is_read_and_written_alike() {
        let text = r#"{"secret":"GEZDGNBV","backup":["0a"]}"#;
        let sealed: Sealed = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&sealed).unwrap(), text);
    }

    #[test]
    fn a_code_is_that_of_rfc_6238() {
        // Secret and first time of the test vectors of RFC 6238 (appendix B), with six digits.
        let secret = Secret::from("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned());
        let totp = totp(&secret, "xx1-ovh/jane").unwrap();
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287083", 59), None);
        assert!(totp.to_url().unwrap().contains("Gatewright:xx1-ovh"));
    }
}
