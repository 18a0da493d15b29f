//! Authenticates tokens: the one gate for every use of a token.
//!
//! Invariants:
//! - Expiry depends on the time, so it is checked each time, before anything that is remembered.
//! - `admitted` remembers only what follows from one view, by its fingerprint: that the service account
//!   exists, and that the token is not revoked. A fact about a view stays true, so a race repeats a
//!   check and does no harm, and relaxed ordering is enough.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_policy::{Instant, TokenId};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal, Token};
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::revision::AccountRevision;
use crate::model::secret::Secret;
use crate::model::skew::is_from_future;
use crate::model::token::LIFETIME;
use crate::model::user_token::{PREFIX, subject};

/// Minimum interval between two records of the use of one token.
const NOTED_EVERY: Duration = Duration::from_secs(5);

/// An authenticated token, with the account that it belongs to.
pub(crate) struct AuthenticatedToken {
    pub(crate) principal: Arc<Principal>,
    /// The account of the token, as it was when the token was admitted.
    pub(crate) home: Arc<View>,
}

impl Iam {
    /// Authenticates the caller of a request by a token; returns the principal that it belongs to, and the
    /// revision of its account at which the token is valid.
    pub async fn authenticate(
        &self,
        token: &str,
        now: Instant,
    ) -> Result<(Arc<Principal>, AccountRevision), IamError> {
        let AuthenticatedToken { principal, home } = self.authenticate_token(token, now).await?;
        record_account(principal.account());
        let revision = AccountRevision::of(principal.account(), &home);
        Ok((principal, revision))
    }

    /// Authenticates a token, the caller's or one that is asked about; returns its principal with the
    /// view of the account.
    pub(crate) async fn authenticate_token(
        &self,
        token: &str,
        now: Instant,
    ) -> Result<AuthenticatedToken, IamError> {
        if let Some(user) = self.admit_user_token(token, now).await? {
            return Ok(user);
        }
        let principal = self.tokens.verify(token).await?;
        let home = self.admit(&principal, now).await?;
        let verified = principal.access_token()?;
        let noted = Instant::from_micros(verified.noted.load(Ordering::Relaxed));
        // A use that was noted by a clock ahead of this one is no reason to note none.
        if now.since(noted).is_none_or(|passed| passed > NOTED_EVERY) {
            verified.noted.store(now.micros(), Ordering::Relaxed);
            self.recorder.record_use(principal.account(), verified.client_id.as_str(), now);
        }
        Ok(AuthenticatedToken { principal, home })
    }

    /// Admits a token if it has not expired, it is not revoked, and its service account exists: the
    /// one gate for every use of a token. Returns the view that this was checked against.
    pub(crate) async fn admit(
        &self,
        principal: &Principal,
        now: Instant,
    ) -> Result<Arc<View>, IamError> {
        let token = principal.access_token()?;
        // A token that would live longer than any does is of a clock that was ahead.
        if token.expires <= now || is_from_future(token.expires, now.saturating_add(LIFETIME)) {
            return Err(IamError::BadCredential);
        }
        let view = match self.views.get(principal.account()).await {
            Err(IamError::NotFound) => return Err(IamError::BadCredential),
            view => view?,
        };
        if token.admitted.load(Ordering::Relaxed) == view.fingerprint() {
            return Ok(view);
        }
        let client = view.clients.get(token.client_id.as_str());
        if client.is_none_or(|one| !one.admits_token_of(token.issued)) || view.is_revoked(&token.id)
        {
            return Err(IamError::BadCredential);
        }
        token.admitted.store(view.fingerprint(), Ordering::Relaxed);
        Ok(view)
    }

    /// Authenticates a personal access token; returns none when the text has another form, and
    /// fails with [`IamError::BadCredential`] when the token is not valid.
    pub(crate) async fn admit_user_token(
        &self,
        token: &str,
        now: Instant,
    ) -> Result<Option<AuthenticatedToken>, IamError> {
        let account = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
        let Some((account, _)) = account.filter(|_| token.len() <= 256) else { return Ok(None) };
        let id = TokenId::new(hex::encode(Secret::from(token.to_owned()).hash()));
        let view = self.views.get_by_credential(account, (Kind::UserToken, id.as_str())).await;
        let view = match view {
            Err(IamError::NotFound) => None,
            view => view?,
        };
        let view = view.ok_or(IamError::BadCredential)?;
        let principal = self.principal_of_token(&view, &id, now);
        let principal = principal.ok_or(IamError::BadCredential)?;
        self.recorder.record_use(view.account(), &subject(&id), now);
        Ok(Some(AuthenticatedToken { principal: Arc::new(principal), home: view }))
    }

    /// Authenticates the caller of a request once more, which has waited: by the token, with the groups
    /// that a user has now, or by the session.
    pub(crate) async fn readmit(&self, context: &Context) -> Result<Context, IamError> {
        let (principal, now) = (&context.principal, self.now());
        let principal = match &principal.token {
            Token::None => Arc::clone(principal),
            Token::Access(_) => {
                self.admit(principal, now).await?;
                Arc::clone(principal)
            }
            Token::Personal(id) => {
                let view = self.views.get(principal.account()).await?;
                let principal = self.principal_of_token(&view, id, now);
                Arc::new(principal.ok_or(IamError::BadCredential)?)
            }
            Token::Session(authentication) => {
                let view = self.views.get(principal.account()).await?;
                let session = view.sessions.get(authentication.id.as_str());
                if session.is_none_or(|session| session.pending || session.is_over(now)) {
                    return Err(IamError::BadCredential);
                }
                Arc::clone(principal)
            }
        };
        Ok(Context { principal, now, ..context.clone() })
    }

    fn principal_of_token(&self, view: &View, id: &TokenId, now: Instant) -> Option<Principal> {
        let account = view.account();
        let token = view.user_tokens.get(id.as_str())?;
        let user = view.users.get(&user_key(account, &token.user))?;
        // A token of a previous user with the same login is not valid for this one.
        let counts = user.enabled
            && user.created_at <= token.created_at
            && user.enabled_at.is_none_or(|enabled_at| enabled_at <= token.created_at)
            && token.expires.is_none_or(|expires| now < expires)
            && !is_from_future(token.created_at, now);
        let token = Token::Personal(id.clone());
        counts.then(|| Principal { token, ..user.principal(self.settings.region, account) })
    }
}
