//! Verifies and hashes passwords, with a limit on concurrent hashes.

use gatewright_policy::{AccountName, Login};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::engine::sign_in_attempts::AttemptKeys;
use crate::identities::sign_in::password_rules::check_password;
use crate::model::caller::{Context, PrincipalKind};
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::secret::Secret;
use crate::model::session::SignInError;

impl Iam {
    /// Returns whether a password matches the stored hash. Takes as long where there is none, so
    /// that the time does not tell which logins exist.
    pub(crate) async fn is_password(
        &self,
        keys: &AttemptKeys,
        password: Secret,
        hash: Option<Vec<u8>>,
    ) -> Result<bool, IamError> {
        let check = move || {
            let kept = hash.map(|hash| String::from_utf8_lossy(&hash).into_owned());
            match kept {
                Some(kept) => Ok(password.is_password(&kept)),
                // Takes as long with any salt.
                None => password.slow_hash(&[0; 16]).map(|_| false),
            }
        };
        self.sign_in_attempts.hash(keys, check).await?
    }

    /// Verifies the caller's own password, which is stored under the returned key; refused where it
    /// is wrong.
    pub(crate) async fn prove_password(
        &self,
        context: &Context,
        password: Secret,
    ) -> Result<(Kind, String), SignInError> {
        let account = context.account();
        let (kind, id) = match context.principal.kind {
            PrincipalKind::Root => (Kind::Account, account.to_string()),
            PrincipalKind::User => {
                let login = context.principal.identity.name();
                let login = login.ok_or_else(|| IamError::impossible("a user without a login"))?;
                (Kind::User, user_key(account, &Login::new(login)))
            }
            PrincipalKind::ServiceAccount => return Err(IamError::NotFound.into()),
        };
        let attempts = &self.sign_in_attempts;
        let keys = AttemptKeys::of_identity(&id, account, context.ip);
        let begun = attempts.begin(&keys);
        begun.map_err(|seconds| SignInError::TooMany { seconds })?;
        let check = async {
            let object = self.store.object(account, kind, &id).await?;
            let hash = object.and_then(|object| object.secret);
            self.is_password(&keys, password, hash).await
        };
        match check.await {
            Ok(true) => attempts.succeed(&keys),
            Ok(false) => return Err(SignInError::Wrong),
            Err(error) => {
                attempts.take_back(&keys);
                return Err(error.into());
            }
        }
        Ok((kind, id))
    }

    /// Validates the new password of a person, who is not to choose one of these words, and hashes it
    /// for storage.
    pub(crate) async fn hash_password(
        &self,
        account: &AccountName,
        password: Secret,
        words: Vec<String>,
    ) -> Result<Vec<u8>, IamError> {
        let salt = self.sources.bytes()?;
        let hash = move || {
            check_password(&password, &words)?;
            password.slow_hash(&salt)
        };
        Ok(self.sign_in_attempts.signed_in.run(account.as_str(), hash).await??.into_bytes())
    }
}
