//! Verifies passwords, with a limit on concurrent checks.

use gatewright_policy::Login;
use gatewright_store::Kind;

use crate::core::iam::Iam;
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
        password: Secret,
        hash: Option<Vec<u8>>,
    ) -> Result<bool, IamError> {
        let turn = self.sign_in_attempts.checks.acquire().await.map_err(IamError::internal)?;
        let check = move || {
            let kept = hash.map(|hash| String::from_utf8_lossy(&hash).into_owned());
            match kept {
                Some(kept) => Ok(password.is_password(&kept)),
                // Takes as long with any salt.
                None => password.slow_hash(&[0; 16]).map(|_| false),
            }
        };
        let answer = tokio::task::spawn_blocking(check).await.map_err(IamError::internal)?;
        drop(turn);
        answer
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
        let tries = format!("{id} password");
        if let Some(seconds) = self.sign_in_attempts.throttle.retry_after(&tries, context.now) {
            return Err(SignInError::TooMany { seconds });
        }
        self.sign_in_attempts.throttle.record_failure(&tries, context.now);
        let object = self.store.object(account, kind, &id).await;
        let hash = object.map_err(IamError::from)?.and_then(|object| object.secret);
        if !self.is_password(password, hash).await? {
            return Err(SignInError::Wrong);
        }
        self.sign_in_attempts.throttle.reset(&tries);
        Ok((kind, id))
    }

    /// Hashes the password of a person for storage.
    pub(crate) async fn hash_password(&self, password: Secret) -> Result<Vec<u8>, IamError> {
        let turn = self.sign_in_attempts.checks.acquire().await.map_err(IamError::internal)?;
        let salt = self.sources.bytes()?;
        let hashed = tokio::task::spawn_blocking(move || password.slow_hash(&salt)).await;
        drop(turn);
        Ok(hashed.map_err(IamError::internal)??.into_bytes())
    }
}
