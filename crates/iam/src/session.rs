//! Sessions: a person proves who they are once, and is known by a secret for some hours.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{Caller, Identity, IdentityKind, Scope};
use gatewright_store::{Act, Author, Change, Content, Kind};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::account::Profile;
use crate::caller::{Context, Principal, PrincipalKind, Token};
use crate::error::{Fault, IamError};
use crate::group::key;
use crate::iam::Iam;
use crate::query_id::QueryId;
use crate::secret::{Secret, hex};
use crate::throttle::Throttle;
use crate::totp::{Proof, as_somebody};
use crate::user::UserDocument;
use crate::view::View;
use crate::write::delete;

/// What the secrets of sessions begin with.
const BROWSER: &str = "gwb_";

const SECOND: i64 = 1_000_000;

/// A session ends after so long, whatever happens in it.
const LIFETIME: i64 = 12 * 3_600 * SECOND;

/// A code must come within this time after the password.
const CONFIRMED_WITHIN: i64 = 600 * SECOND;

/// A session in which nothing happens ends after so long.
const IDLE: i64 = 2 * 3_600 * SECOND;

/// A person's oldest sessions end when there are more.
const MOST: usize = 50;

/// So many passwords are checked at once: each check takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 4;

/// A password has at least so many characters.
const SHORTEST: usize = 8;

/// A login or a password has at most so many, so that neither takes long.
const LONGEST: usize = 1_024;

/// What is remembered of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionDocument {
    /// The URN of who signed in.
    identity: String,
    /// Microseconds since 1970, UTC.
    created_at: i64,
    /// Microseconds since 1970, UTC.
    expires: i64,
    user_agent: String,
    ip: Option<String>,
    /// Whether it only lets its holder send a code.
    #[serde(default)]
    pending: bool,
    /// With what beside a password they proved who they are.
    #[serde(default)]
    second_factor: Option<String>,
}

impl SessionDocument {
    fn of(identity: &str, origin: &Origin) -> Self {
        Self {
            identity: identity.to_owned(),
            created_at: origin.now,
            expires: origin.now + LIFETIME,
            user_agent: origin.user_agent.chars().filter(|c| !c.is_control()).take(255).collect(),
            ip: origin.ip.map(|ip| ip.to_string()),
            pending: false,
            second_factor: None,
        }
    }
}

/// What sessions need beside the views.
pub(crate) struct Sessions {
    /// When each was last used, as far as this node knows. Lost when it stops: a session then
    /// counts as just used.
    used: Cache<Box<str>, i64>,
    throttle: Throttle,
    checks: Semaphore,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            used: Cache::new(100_000),
            throttle: Throttle::new(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }
}

/// Somebody wants to sign in.
#[derive(Debug)]
pub struct Attempt {
    /// The name of an account, for its owner; with `/` and a login, for a user of it.
    pub login: String,
    /// Their password.
    pub password: Secret,
    /// With what and from where.
    pub origin: Origin,
}

/// Where a request comes from that nobody is known to send yet.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What they use.
    pub user_agent: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// What the log calls the request.
    pub query_id: QueryId,
    /// When: microseconds since 1970, UTC.
    pub now: i64,
}

impl Origin {
    pub(crate) fn author(&self, identity: &str) -> Author {
        Author {
            actor: identity.to_owned(),
            ip: self.ip.map(|ip| ip.to_string()),
            query_id: self.query_id.to_string(),
            at: self.now,
        }
    }
}

/// What a password was good for.
#[derive(Debug)]
pub enum SignedIn {
    /// A session.
    Whole(SessionToken),
    /// A session that must still be confirmed with a code.
    NeedsCode(SessionToken),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no such person, or that is not their password; from outside the two look the same.
    #[error("the login or the password is wrong")]
    Wrong,
    /// The code is wrong, or was used before.
    #[error("the code is wrong or was used before")]
    WrongCode,
    /// The passkey is not known, or the browser took too long.
    #[error("the passkey is not known here")]
    WrongPasskey,
    /// They may not sign in at present.
    #[error("this user is disabled: ask an administrator of the account")]
    Disabled,
    /// They were wrong too often.
    #[error("too many attempts: try again in {seconds} seconds")]
    TooMany {
        /// How long they must wait.
        seconds: i64,
    },
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] IamError),
}

/// What a browser shows again with each request: the account, a dot, a secret.
#[derive(Debug, Clone)]
pub struct SessionToken {
    account: String,
    secret: Secret,
}

impl SessionToken {
    /// Reads the text of one; none when it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, secret) = text.split_once('.')?;
        let sound = account.len() <= 64 && secret.len() <= 128;
        sound.then(|| Self { account: account.to_owned(), secret: secret.to_owned().into() })
    }

    /// The text itself, for the browser alone.
    pub fn reveal(&self) -> Secret {
        format!("{}.{}", self.account, self.secret.reveal()).into()
    }

    fn id(&self) -> String {
        hex(&self.secret.hash())
    }
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// What it is called; not its secret.
    pub id: String,
    /// Who signed in.
    pub principal: Arc<Principal>,
    /// When: microseconds since 1970, UTC.
    pub created_at: i64,
    /// When it ends at the latest: microseconds since 1970, UTC.
    pub expires: i64,
    /// When it was last used, as far as this node knows: microseconds since 1970, UTC.
    pub used_at: Option<i64>,
    /// What they signed in with.
    pub user_agent: String,
    /// From where they signed in.
    pub ip: Option<String>,
}

impl Iam {
    /// Signs the owner of an account in, or a user of it.
    pub async fn sign_in(&self, attempt: Attempt) -> Result<SignedIn, SignInError> {
        let origin = attempt.origin;
        let now = origin.now;
        if attempt.login.len() > LONGEST {
            return Err(SignInError::Wrong);
        }
        let (account, user) = match attempt.login.trim().split_once('/') {
            Some((account, user)) => (account.to_lowercase(), Some(user.to_owned())),
            None => (attempt.login.trim().to_lowercase(), None),
        };
        let region = self.settings.region;
        let (kind, id, identity) = match &user {
            Some(login) => {
                (Kind::User, key(&account, login), Identity::user(region, &account, login))
            }
            None => (Kind::Account, account.clone(), Identity::account_of(region, &account)),
        };
        let from = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let keys = [format!("{id} {from}"), format!(" {from}")];
        let throttle = &self.sessions.throttle;
        if let Some(seconds) = keys.iter().filter_map(|key| throttle.wait(key, now)).max() {
            return Err(SignInError::TooMany { seconds });
        }
        // Counted before it is checked, so that many at once are not free.
        for key in &keys {
            throttle.failed(key, now);
        }
        let object = self.store.object(&account, kind, &id).await.map_err(IamError::from)?;
        let hash = object.as_ref().and_then(|object| object.secret.clone());
        if !self.is_password(attempt.password, hash).await? {
            return Err(SignInError::Wrong);
        }
        for key in &keys {
            throttle.succeeded(key);
        }
        if let (Kind::User, Some(object)) = (kind, object) {
            let user: UserDocument =
                serde_json::from_str(&object.document).map_err(IamError::from)?;
            if !user.enabled {
                return Err(SignInError::Disabled);
            }
        }
        let mut document = SessionDocument::of(identity.urn(), &origin);
        let pending = self.needs_code(&account, identity.urn()).await?;
        if pending {
            document.pending = true;
            document.expires = now + CONFIRMED_WITHIN;
        }
        let author = origin.author(identity.urn());
        let token = self.open_session(&account, &document, author).await?;
        Ok(if pending { SignedIn::NeedsCode(token) } else { SignedIn::Whole(token) })
    }

    /// Makes a session whole that must be confirmed with a code of the person's authenticator, or
    /// with a backup code.
    pub async fn confirm_sign_in(
        &self,
        token: &SessionToken,
        code: &str,
        origin: &Origin,
    ) -> Result<SessionToken, SignInError> {
        let (view, id) = (self.views.get(&token.account).await?, token.id());
        let pending = view.session(&id).filter(|one| one.pending && one.expires > origin.now);
        let document = pending.ok_or(IamError::BadCredential)?;
        let session = self.session_of(&view, &id, document)?;
        let tries = format!("{} code", document.identity);
        if let Some(seconds) = self.sessions.throttle.wait(&tries, origin.now) {
            return Err(SignInError::TooMany { seconds });
        }
        self.sessions.throttle.failed(&tries, origin.now);
        let context = as_somebody(session.principal, origin);
        let proof = self.take_code(&context, code).await?;
        self.sessions.throttle.succeeded(&tries);
        self.end(&context, vec![id]).await?;
        let factor = match proof {
            Proof::Totp => "TOTP",
            Proof::BackupCode => "BACKUP_CODE",
        };
        self.open_whole_session(&context.principal.identity, i64::MAX, origin, factor).await
    }

    /// Opens a session for somebody who has proved twice who they are; `since` is when they got
    /// what they proved it with.
    pub(crate) async fn open_whole_session(
        &self,
        identity: &Identity,
        since: i64,
        origin: &Origin,
        factor: &str,
    ) -> Result<SessionToken, SignInError> {
        let account = identity.account();
        let mut document = SessionDocument::of(identity.urn(), origin);
        document.second_factor = Some(factor.to_owned());
        let view = self.views.get(account).await?;
        let proved = SessionDocument { created_at: since, ..document.clone() };
        match self.session_of(&view, "", &proved) {
            Err(IamError::BadCredential) => return Err(SignInError::Disabled),
            allowed => allowed?,
        };
        let author = origin.author(identity.urn());
        Ok(self.open_session(account, &document, author).await?)
    }

    async fn open_session(
        &self,
        account: &str,
        document: &SessionDocument,
        author: Author,
    ) -> Result<SessionToken, IamError> {
        let token =
            SessionToken { account: account.to_owned(), secret: Secret::generate(BROWSER)? };
        let content = Content { document: serde_json::to_string(document)?, ..Content::default() };
        let act = Act::Create { content, secret: None };
        let opened = Change { kind: Kind::Session, id: token.id(), act };
        self.write_as(account, author.clone(), vec![opened]).await?;
        let view = self.views.get(account).await?;
        let over = superfluous(&view, &document.identity, document.created_at);
        let over: Vec<Change> = over.iter().map(|id| delete(Kind::Session, id)).collect();
        if !over.is_empty()
            && let Err(error) = self.write_as(account, author, over).await
        {
            // Another request ended them, or the next one will.
            tracing::debug!(%error, "expired sessions stay for now");
        }
        Ok(token)
    }

    /// Whether it is the password that is kept; takes as long when none is kept.
    async fn is_password(&self, password: Secret, hash: Option<Vec<u8>>) -> Result<bool, IamError> {
        let turn = self.sessions.checks.acquire().await.map_err(IamError::internal)?;
        let check = move || {
            let kept = hash.map(|hash| String::from_utf8_lossy(&hash).into_owned());
            match kept {
                Some(kept) => Ok(password.is_password(&kept)),
                None => password.slow_hash().map(|_| false),
            }
        };
        let answer = tokio::task::spawn_blocking(check).await.map_err(IamError::internal)?;
        drop(turn);
        answer
    }

    /// The session that a browser shows the secret of, while it lasts.
    pub async fn session(&self, token: &SessionToken, now: i64) -> Result<Session, IamError> {
        let view = match self.views.get(&token.account).await {
            Err(IamError::NotFound) => return Err(IamError::BadCredential),
            view => view?,
        };
        let id = token.id();
        let document = view.session(&id).ok_or(IamError::BadCredential)?;
        let used_at = self.sessions.used.get(&*id);
        if document.pending
            || document.expires <= now
            || used_at.is_some_and(|used| used + IDLE <= now)
        {
            return Err(IamError::BadCredential);
        }
        self.sessions.used.insert(id.as_str().into(), now);
        self.session_of(&view, &id, document)
    }

    /// The session, as long as who signed in still may.
    fn session_of(
        &self,
        view: &View,
        id: &str,
        document: &SessionDocument,
    ) -> Result<Session, IamError> {
        let region = self.settings.region;
        let identity = Identity::parse(&document.identity, region).map_err(IamError::internal)?;
        let principal = match identity.kind() {
            IdentityKind::Account => {
                let caller = Caller::root(region, identity.account(), Scope::All);
                Principal { kind: PrincipalKind::Root, identity, caller, token: Token::None }
            }
            IdentityKind::User => {
                let login = identity.name().unwrap_or_default();
                // A session of somebody who had the same login before is none of theirs.
                let user = view
                    .user(&key(identity.account(), login))
                    .filter(|one| one.enabled && one.created_at <= document.created_at);
                user.ok_or(IamError::BadCredential)?.principal(region, identity.account())
            }
            _ => return Err(IamError::BadCredential),
        };
        Ok(Session {
            id: id.to_owned(),
            principal: Arc::new(principal),
            created_at: document.created_at,
            expires: document.expires,
            used_at: self.sessions.used.get(id),
            user_agent: document.user_agent.clone(),
            ip: document.ip.clone(),
        })
    }

    /// The caller's own sessions that last, the newest first.
    pub async fn sessions(&self, context: &Context) -> Result<Vec<Session>, IamError> {
        let view = self.views.get(context.account()).await?;
        let own = view.sessions().filter(|(_, one)| {
            let own = one.identity == context.principal.identity.urn();
            own && !one.pending && one.expires > context.now
        });
        let sessions = own.map(|(id, document)| self.session_of(&view, id, document));
        let mut sessions = sessions.collect::<Result<Vec<_>, _>>()?;
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    /// Ends one of the caller's own sessions.
    pub async fn end_session(&self, context: &Context, id: &str) -> Result<(), IamError> {
        let view = self.views.get(context.account()).await?;
        let own = context.principal.identity.urn();
        view.session(id).filter(|one| one.identity == own).ok_or(IamError::NotFound)?;
        self.sessions.used.remove(id);
        self.write(context, vec![delete(Kind::Session, id)]).await
    }

    /// The sessions of somebody, by their identifiers.
    pub(crate) async fn sessions_of(
        &self,
        account: &str,
        identity: &str,
    ) -> Result<Vec<String>, IamError> {
        let view = self.views.get(account).await?;
        let own = view.sessions().filter(|(_, one)| one.identity == identity);
        Ok(own.map(|(id, _)| id.to_owned()).collect())
    }

    /// Ends sessions; those that have ended meanwhile are left alone.
    pub(crate) async fn end(&self, context: &Context, over: Vec<String>) -> Result<(), IamError> {
        for id in over {
            match self.write(context, vec![delete(Kind::Session, &id)]).await {
                Ok(()) | Err(IamError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives the caller, who is the owner of the account or a user of it, a new password, and ends
    /// all their sessions but the one of that id.
    pub async fn change_password(
        &self,
        context: &Context,
        (old, new): (Secret, Secret),
        kept: &str,
    ) -> Result<(), SignInError> {
        let account = context.account();
        check_password(&new)?;
        let (kind, id) = self.prove_password(context, old).await?;
        let hash = Some(self.hash_password(new).await?);
        let changed_at = Some(context.now);
        self.change_with_secret(account, context, (kind, &id), hash, |object| {
            if kind == Kind::User {
                let mut user: UserDocument = serde_json::from_str(&object.document)?;
                user.password_changed_at = changed_at;
                return Ok((user.content()?, ()));
            }
            let mut profile: Profile = serde_json::from_str(&object.document)?;
            profile.password_changed_at = changed_at;
            let document = serde_json::to_string(&profile)?;
            Ok((Content { document, ..Content::default() }, ()))
        })
        .await?;
        let identity = context.principal.identity.urn();
        let mut others = self.sessions_of(account, identity).await?;
        others.retain(|id| id != kept);
        Ok(self.end(context, others).await?)
    }

    /// Refuses a caller who does not know their own password, which is kept under the answered key.
    pub(crate) async fn prove_password(
        &self,
        context: &Context,
        password: Secret,
    ) -> Result<(Kind, String), SignInError> {
        let account = context.account();
        let name = context.principal.identity.name().unwrap_or_default();
        let (kind, id) = match context.principal.kind {
            PrincipalKind::Root => (Kind::Account, account.to_owned()),
            PrincipalKind::User => (Kind::User, key(account, name)),
            PrincipalKind::ServiceAccount => return Err(IamError::NotFound.into()),
        };
        let tries = format!("{id} password");
        if let Some(seconds) = self.sessions.throttle.wait(&tries, context.now) {
            return Err(SignInError::TooMany { seconds });
        }
        self.sessions.throttle.failed(&tries, context.now);
        let object = self.store.object(account, kind, &id).await;
        let hash = object.map_err(IamError::from)?.and_then(|object| object.secret);
        if !self.is_password(password, hash).await? {
            return Err(SignInError::Wrong);
        }
        self.sessions.throttle.succeeded(&tries);
        Ok((kind, id))
    }

    /// What is kept of a person's password.
    pub(crate) async fn hash_password(&self, password: Secret) -> Result<Vec<u8>, IamError> {
        let turn = self.sessions.checks.acquire().await.map_err(IamError::internal)?;
        let hashed = tokio::task::spawn_blocking(move || password.slow_hash()).await;
        drop(turn);
        Ok(hashed.map_err(IamError::internal)??.into_bytes())
    }
}

/// The sessions that need no longer be remembered: all that expired, and a person's oldest.
fn superfluous(view: &View, identity: &str, now: i64) -> Vec<String> {
    let (expired, lasting): (Vec<_>, Vec<_>) =
        view.sessions().partition(|(_, one)| one.expires <= now);
    let mut own: Vec<_> = lasting.into_iter().filter(|(_, one)| one.identity == identity).collect();
    own.sort_by_key(|(_, one)| std::cmp::Reverse(one.created_at));
    let oldest = own.into_iter().skip(MOST);
    expired.into_iter().chain(oldest).map(|(id, _)| id.to_owned()).collect()
}

/// Refuses a password that is too short to be one, or too long to be hashed.
pub(crate) fn check_password(password: &Secret) -> Result<(), IamError> {
    let length = password.reveal().chars().count();
    if length < SHORTEST {
        let message = format!("the password must have at least {SHORTEST} characters");
        return Err(IamError::invalid(Fault::Format, message));
    }
    if length > LONGEST {
        let message = format!("the password must have at most {LONGEST} characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    Ok(())
}
