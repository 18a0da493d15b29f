//! Sessions: a person proves their identity once, and a secret identifies them for some hours.

use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, Identity, IdentityKind, Instant, Login, Scope, SessionId,
};
use gatewright_store::{Author, CauseChain, Change, Kind};

use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::engine::sign_in_attempts::LastUse;
use crate::engine::view::View;
use crate::model::account::SecondFactor;
use crate::model::caller::{Context, Origin, Principal, PrincipalKind, Token};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::session::{
    BROWSER, IDLE, SecondFactorProof, Session, SessionAccess, SessionDocument, SessionToken,
    SignInError,
};

/// The maximum number of sessions of a person; the oldest end when there are more.
pub(crate) const MOST: usize = 50;

impl Iam {
    /// Opens a session for a person who has proved all factors; `since` is the time when they
    /// received the credentials that they proved them with.
    pub(crate) async fn open_authenticated_session(
        &self,
        identity: &Identity,
        since: Instant,
        origin: &Origin,
        factor: SecondFactorProof,
    ) -> Result<SessionToken, SignInError> {
        let account = identity.account();
        let mut document = SessionDocument::of(identity.urn(), origin);
        document.second_factor = Some(factor);
        let view = self.views.get(account).await?;
        let proved = SessionDocument { created_at: since, ..document.clone() };
        match self.session_of(&view, &SessionId::new(""), &proved) {
            Err(IamError::BadCredential) => return Err(SignInError::Disabled),
            allowed => allowed?,
        };
        let author = origin.author(identity.urn());
        Ok(self.open_session(account, &document, author).await?)
    }

    pub(crate) async fn open_session(
        &self,
        account: &AccountName,
        document: &SessionDocument,
        author: Author,
    ) -> Result<SessionToken, IamError> {
        record_account(account);
        let token =
            SessionToken { account: account.clone(), secret: self.sources.secret(BROWSER)? };
        let opened = document.create(self.place(account, token.id().as_str()), None)?;
        self.commit(account, author.clone(), vec![opened]).await?;
        let view = self.views.get(account).await?;
        let over = superfluous(&view, &document.identity, self.sources.settled());
        let over: Vec<Change> =
            over.iter().map(|id| SessionDocument::delete(id.as_str())).collect();
        if !over.is_empty()
            && let Err(error) = self.commit(account, author, over).await
        {
            // Another request deleted them, or the next one will.
            tracing::debug!(error = %CauseChain(&error), "expired sessions stay for now");
        }
        Ok(token)
    }

    /// Authenticates a session by the secret that a browser presents, while the session lasts.
    pub async fn session(&self, token: &SessionToken, now: Instant) -> Result<Session, IamError> {
        let (account, id) = (token.account.as_str(), token.id());
        let view = match self.views.get_by_credential(account, (Kind::Session, id.as_str())).await {
            Err(IamError::NotFound) => None,
            view => view?,
        };
        let view = view.ok_or(IamError::BadCredential)?;
        let document = view.sessions.get(id.as_str()).ok_or(IamError::BadCredential)?;
        let (used, monotonic) = (self.sign_in_attempts.used.get(&id), self.sources.monotonic());
        let is_idle = used.is_some_and(|used| used.was_before(IDLE, (now, monotonic)));
        if document.pending || document.is_over(now) || is_idle {
            return Err(IamError::BadCredential);
        }
        self.sign_in_attempts.used.insert(id.clone(), LastUse { at: now, monotonic });
        let session = self.session_of(&view, &id, document)?;
        record_account(&token.account);
        Ok(session)
    }

    /// Builds a session with its principal; refused where the person who signed in no longer may.
    pub(crate) fn session_of(
        &self,
        view: &View,
        id: &SessionId,
        document: &SessionDocument,
    ) -> Result<Session, IamError> {
        let access = access(view, document).ok_or(IamError::BadCredential)?;
        let scope = match access {
            SessionAccess::Full => Scope::All,
            // So no use case does anything for it, whatever page it is called from.
            SessionAccess::Enrolment => Scope::Types(Vec::new()),
        };
        let principal = self.principal_of_session(view, document, scope)?;
        let principal =
            Principal { token: Token::Session(document.authentication(id)), ..principal };
        Ok(Session {
            id: id.clone(),
            principal: Arc::new(principal),
            access,
            created_at: document.created_at,
            expires: document.expires,
            used_at: self.sign_in_attempts.used.get(id).map(|used| used.at),
            user_agent: document.user_agent.clone(),
            ip: document.ip.clone(),
        })
    }

    fn principal_of_session(
        &self,
        view: &View,
        document: &SessionDocument,
        scope: Scope,
    ) -> Result<Principal, IamError> {
        let region = self.settings.region;
        let identity = Identity::parse(&document.identity, region).map_err(IamError::internal)?;
        match identity.kind() {
            IdentityKind::Account => {
                let caller = Caller::root(region, identity.account(), scope);
                Ok(Principal { kind: PrincipalKind::Root, identity, caller, token: Token::None })
            }
            IdentityKind::User => {
                let login = identity.name().map(Login::new).ok_or(IamError::BadCredential)?;
                // A session of a former user with the same login must not be taken for one of this
                // user.
                let user = view
                    .users
                    .get(&user_key(identity.account(), &login))
                    .filter(|one| one.enabled && one.created_at <= document.created_at);
                let user = user.ok_or(IamError::BadCredential)?;
                Ok(user.principal_with(region, identity.account(), scope))
            }
            _ => Err(IamError::BadCredential),
        }
    }

    /// Records the second factor that the caller has set up in their session.
    pub(super) async fn record_second_factor(
        &self,
        context: &Context,
        factor: SecondFactorProof,
    ) -> Result<(), IamError> {
        // Others than people in a session have none that counts.
        if context.session_authentication().is_none() {
            return Ok(());
        }
        let session = self.change_session(context, |document| {
            document.second_factor = Some(factor);
            document.authenticated_at = Some(context.now);
        });
        session.await.map(drop)
    }

    /// Changes the session of the request.
    pub(super) async fn change_session(
        &self,
        context: &Context,
        edit: impl Fn(&mut SessionDocument),
    ) -> Result<Session, IamError> {
        let account = context.account();
        let session = context.session_authentication().ok_or(IamError::BadCredential)?;
        let place = self.place(account, session.id.as_str());
        let changed = self.change(context, place, |document: &mut SessionDocument| {
            edit(document);
            Ok(document.clone())
        });
        let document = match changed.await {
            // It was ended in the meantime.
            Err(IamError::NotFound) => return Err(IamError::BadCredential),
            changed => changed?,
        };
        let view = self.views.get(account).await?;
        self.session_of(&view, &session.id, &document)
    }

    /// Lists the current sessions of the caller, newest first.
    pub async fn sessions(&self, context: &Context) -> Result<Vec<Session>, IamError> {
        let view = self.views.get(context.account()).await?;
        let own = view.sessions.iter().filter(|(_, one)| {
            let own = one.identity == context.principal.identity.urn();
            own && !one.pending && !one.is_over(context.now) && access(&view, one).is_some()
        });
        let sessions =
            own.map(|(id, document)| self.session_of(&view, &SessionId::new(id), document));
        let mut sessions = sessions.collect::<Result<Vec<_>, _>>()?;
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    /// Ends a session of the caller: their own at any time, another one after re-authentication.
    pub async fn end_session(&self, context: &Context, id: &SessionId) -> Result<(), IamError> {
        if context.session_authentication().is_none_or(|session| session.id != *id) {
            context.demand_reauthentication()?;
        }
        let view = self.views.get(context.account()).await?;
        let own = context.principal.identity.urn();
        view.sessions
            .get(id.as_str())
            .filter(|one| one.identity == own)
            .ok_or(IamError::NotFound)?;
        self.sign_in_attempts.used.remove(id);
        self.write(context, vec![SessionDocument::delete(id.as_str())]).await
    }

    /// Returns the sessions of a person, by their identifiers.
    pub(crate) async fn sessions_of(
        &self,
        account: &AccountName,
        identity: &str,
    ) -> Result<Vec<SessionId>, IamError> {
        let view = self.views.get(account).await?;
        let own = view.sessions.iter().filter(|(_, one)| one.identity == identity);
        Ok(own.map(|(id, _)| SessionId::new(id)).collect())
    }

    /// Ends sessions; those that have ended in the meantime are ignored.
    pub(crate) async fn end_sessions(
        &self,
        context: &Context,
        over: Vec<SessionId>,
    ) -> Result<(), IamError> {
        for id in over {
            match self.write(context, vec![SessionDocument::delete(id.as_str())]).await {
                Ok(()) | Err(IamError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Returns what a session lets its holder do; none where it is over, since the account demands a second
/// factor that the person has, and that they did not prove when they signed in.
///
/// So no session of before the demand counts, nor one of somebody who knew the password alone and
/// waited until the person had set up their factor.
fn access(view: &View, document: &SessionDocument) -> Option<SessionAccess> {
    // A pending session is for proving the factor.
    if view.second_factor == SecondFactor::Optional || document.pending {
        return Some(SessionAccess::Full);
    }
    if !view.has_second_factor(&document.identity) {
        return Some(SessionAccess::Enrolment);
    }
    document.second_factor.is_some().then_some(SessionAccess::Full)
}

/// Returns the sessions to delete: all that have expired, unless the clock is in doubt, and the oldest
/// of a person beyond the maximum.
fn superfluous(view: &View, identity: &str, settled: Option<Instant>) -> Vec<SessionId> {
    let (expired, lasting): (Vec<_>, Vec<_>) = view
        .sessions
        .iter()
        .partition(|(_, one)| settled.is_some_and(|settled| one.expires <= settled));
    let mut own: Vec<_> = lasting.into_iter().filter(|(_, one)| one.identity == identity).collect();
    own.sort_by_key(|(_, one)| std::cmp::Reverse(one.created_at));
    let oldest = own.into_iter().skip(MOST);
    expired.into_iter().chain(oldest).map(|(id, _)| SessionId::new(id)).collect()
}
