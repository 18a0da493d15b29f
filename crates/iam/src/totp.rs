//! Second factors: codes of an authenticator (TOTP, RFC 6238), and backup codes for when it is lost.

use std::sync::Arc;

use gatewright_store::{Act, Change, Content, Kind, Object};
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::caller::Context;
use crate::error::{Fault, IamError};
use crate::group::key;
use crate::iam::Iam;
use crate::rights;
use crate::secret::{Secret, hex, random};
use crate::session::SignInError;
use crate::write::delete;

/// Each backup code is good for once.
const BACKUP_CODES: usize = 10;

/// What is remembered of somebody's authenticator, under their URN.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TotpDocument {
    created_at: i64,
    /// The step of the last code that was taken: no code is good twice.
    last_step: u64,
    backup_codes_left: usize,
}

/// What is sealed under the master key.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Sealed {
    /// In base 32, as authenticators take it.
    secret: String,
    /// The hashes of the backup codes that were not used, in hexadecimal digits.
    backup: Vec<String>,
}

/// An authenticator that is not in force until it has proved that it has the secret.
#[derive(Debug)]
pub struct NewTotp {
    /// The secret, as people type it.
    pub secret: Secret,
    /// The secret, as authenticators scan it.
    pub url: Secret,
    /// What the proof must come with.
    pub state: String,
}

/// The second factors of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MfaMethods {
    /// Whether they have an authenticator.
    pub has_totp: bool,
    /// How many backup codes are left.
    pub backup_codes_left: usize,
}

/// With what somebody proved a second time who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Totp,
    BackupCode,
}

fn totp(secret: &str, who: &str) -> Result<Totp, IamError> {
    let secret = totp_rs::Secret::try_from_base32(secret).map_err(IamError::internal)?;
    // A colon would end the name of the issuer.
    let who = who.replace(':', " ");
    let builder = Builder::new().with_secret(secret).with_account_name(who);
    builder.with_issuer(Some("Gatewright")).build().map_err(IamError::internal)
}

fn seconds(now: i64) -> u64 {
    u64::try_from(now / 1_000_000).unwrap_or_default()
}

/// What somebody typed, without what people put between the characters.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// A backup code: 80 random bits in groups of four, without letters that look alike.
fn backup_code() -> Result<String, IamError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bits = random::<16>()?;
    let mut text = String::with_capacity(19);
    for (place, bits) in bits.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(bits % 32)).copied().unwrap_or(b'a');
        text.push(char::from(letter));
    }
    Ok(text)
}

fn backup_hash(code: &str) -> String {
    hex(&Secret::from(plain(code)).hash())
}

impl Iam {
    /// The second factors of the caller.
    pub async fn factors(&self, context: &Context) -> Result<MfaMethods, IamError> {
        let identity = context.principal.identity.urn();
        let object = self.store.object(context.account(), Kind::Totp, identity).await?;
        let document = object.map(|one| serde_json::from_str::<TotpDocument>(&one.document));
        Ok(document.transpose()?.map_or_else(MfaMethods::default, |document| MfaMethods {
            has_totp: true,
            backup_codes_left: document.backup_codes_left,
        }))
    }

    /// A new secret for an authenticator of the caller.
    pub fn new_totp(&self, context: &Context) -> Result<NewTotp, IamError> {
        let bits = Zeroizing::new(random::<20>()?);
        let secret = totp_rs::Secret::from(bits.as_slice()).to_base32();
        let identity = &context.principal.identity;
        let (_, name) = identity.urn().rsplit_once(':').unwrap_or_default();
        let url = totp(&secret, name)?.to_url().map_err(IamError::internal)?;
        let state = self.tokens.seal_state(identity.urn(), secret.as_bytes(), context.now)?;
        Ok(NewTotp { secret: secret.into(), url: url.into(), state })
    }

    /// Puts an authenticator in force, in the place of any before it, once it has shown a code.
    /// Answers the backup codes, which can never be read again.
    pub async fn confirm_totp(
        &self,
        context: &Context,
        password: Secret,
        (state, code): (&str, &str),
    ) -> Result<Vec<Secret>, SignInError> {
        self.prove_password(context, password).await?;
        let (account, identity) = (context.account(), context.principal.identity.urn());
        let outdated = "the page was open for too long: take the new secret";
        let secret = self.tokens.open_state(identity, state, context.now);
        let secret = secret.ok_or_else(|| IamError::invalid(Fault::Input, outdated))?;
        let secret = String::from_utf8(secret.to_vec()).map_err(IamError::internal)?;
        let step = totp(&secret, "")?.check(&plain(code), seconds(context.now));
        let step = step.ok_or(SignInError::WrongCode)?;
        let mut codes = Vec::with_capacity(BACKUP_CODES);
        for _ in 0..BACKUP_CODES {
            codes.push(backup_code()?);
        }
        let sealed = Sealed { secret, backup: codes.iter().map(|one| backup_hash(one)).collect() };
        let sealed = Some(self.seal_totp(identity, &sealed)?);
        let document = TotpDocument {
            created_at: context.now,
            last_step: step,
            backup_codes_left: BACKUP_CODES,
        };
        let document = serde_json::to_string(&document).map_err(IamError::from)?;
        let content = Content { document, ..Content::default() };
        let there = self.store.object(account, Kind::Totp, identity).await;
        let act = match there.map_err(IamError::from)? {
            None => Act::Create { content, secret: sealed },
            Some(there) => Act::Update { from: there.document, content, secret: sealed },
        };
        let change = Change { kind: Kind::Totp, id: identity.to_owned(), act };
        self.write(context, vec![change]).await?;
        Ok(codes.into_iter().map(Secret::from).collect())
    }

    /// Takes the caller's authenticator and its backup codes out of force.
    pub async fn remove_totp(
        &self,
        context: &Context,
        password: Secret,
    ) -> Result<(), SignInError> {
        self.prove_password(context, password).await?;
        let identity = context.principal.identity.urn();
        Ok(self.write(context, vec![delete(Kind::Totp, identity)]).await?)
    }

    /// Takes all second factors and passkeys from a user who has lost them.
    pub async fn reset_mfa(&self, context: &Context, login: &str) -> Result<(), IamError> {
        self.demand(context, rights::USER_EDIT).await?;
        let account = context.account();
        let view = self.views.get(account).await?;
        view.user(&key(account, login)).ok_or(IamError::NotFound)?;
        let gone = self.mfa_methods_of(account, login).await?;
        if gone.is_empty() { Ok(()) } else { self.write(context, gone).await }
    }

    /// The changes that take all second factors and passkeys from a user.
    pub(crate) async fn mfa_methods_of(
        &self,
        account: &str,
        login: &str,
    ) -> Result<Vec<Change>, IamError> {
        let identity = gatewright_policy::Identity::user(self.settings.region, account, login);
        let mut gone = Vec::new();
        if self.store.object(account, Kind::Totp, identity.urn()).await?.is_some() {
            gone.push(delete(Kind::Totp, identity.urn()));
        }
        for passkey in self.passkeys_of(account, identity.urn()).await? {
            gone.push(delete(Kind::Passkey, &passkey.id));
        }
        Ok(gone)
    }

    fn seal_totp(&self, identity: &str, sealed: &Sealed) -> Result<Vec<u8>, IamError> {
        self.tokens.seal(identity, serde_json::to_vec(sealed)?)
    }

    fn unseal_totp(&self, identity: &str, object: &Object) -> Result<Sealed, IamError> {
        let sealed = object.secret.as_deref().unwrap_or_default();
        let opened = self.tokens.unseal(identity, sealed).ok_or_else(|| {
            IamError::internal(std::io::Error::other("a second factor is sealed by another key"))
        })?;
        Ok(serde_json::from_slice(&opened)?)
    }

    /// Takes a code of somebody's authenticator, or a backup code; each is good for once.
    pub(crate) async fn take_code(
        &self,
        context: &Context,
        code: &str,
    ) -> Result<Proof, SignInError> {
        let (account, identity) = (context.account(), context.principal.identity.urn());
        let object = self.store.object(account, Kind::Totp, identity).await;
        let object = object.map_err(IamError::from)?.ok_or(SignInError::WrongCode)?;
        let mut sealed = self.unseal_totp(identity, &object)?;
        let mut document: TotpDocument =
            serde_json::from_str(&object.document).map_err(IamError::from)?;
        let step = totp(&sealed.secret, "")?.check(&plain(code), seconds(context.now));
        let hash = backup_hash(code);
        let proof = match step {
            Some(step) if step > document.last_step => {
                document.last_step = step;
                Proof::Totp
            }
            _ => {
                let place = sealed.backup.iter().position(|known| *known == hash);
                sealed.backup.swap_remove(place.ok_or(SignInError::WrongCode)?);
                document.backup_codes_left = sealed.backup.len();
                Proof::BackupCode
            }
        };
        let document = serde_json::to_string(&document).map_err(IamError::from)?;
        let content = Content { document, ..Content::default() };
        let secret = Some(self.seal_totp(identity, &sealed)?);
        let act = Act::Update { from: object.document, content, secret };
        let change = Change { kind: Kind::Totp, id: identity.to_owned(), act };
        // Whoever sent the same code a moment before was quicker.
        match self.write_in(account, context, vec![change]).await {
            Err(gatewright_store::StoreError::Stale) => Err(SignInError::WrongCode),
            written => written.map(|()| proof).map_err(|error| IamError::from(error).into()),
        }
    }

    /// Whether somebody must prove a second time who they are.
    pub(crate) async fn needs_code(&self, account: &str, identity: &str) -> Result<bool, IamError> {
        Ok(self.store.object(account, Kind::Totp, identity).await?.is_some())
    }
}

/// Who proves something, before anybody is signed in.
pub(crate) fn as_somebody(
    principal: Arc<crate::caller::Principal>,
    origin: &crate::session::Origin,
) -> Context {
    Context { principal, ip: origin.ip, query_id: origin.query_id, now: origin.now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_code_is_known_by_its_hash_however_it_is_typed() {
        let code = backup_code().unwrap();
        assert_eq!(code.len(), 19, "{code}");
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(backup_hash(&typed), backup_hash(&code));
        assert_ne!(backup_hash(&backup_code().unwrap()), backup_hash(&code));
    }

    #[test]
    fn a_code_is_that_of_rfc_6238() {
        // The secret and the first time of appendix B, with six digits.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let totp = totp(secret, "xx1-ovh/jane").unwrap();
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287083", 59), None);
        assert!(totp.to_url().unwrap().contains("Gatewright:xx1-ovh"));
    }
}
