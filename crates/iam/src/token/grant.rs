//! Giving tokens out, asking about them, and taking them back.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatewright_policy::{Identity, ResourceUrn};
use gatewright_store::{Act, Change, Content, Kind, StoreError, Taken};

use super::project::wants_id_token;
use super::{Claims, IdClaims, LIFETIME, ProjectRoles, RevokedDocument, scope};
use crate::caller::{Context, Principal, Token};
use crate::client::Flow;
use crate::error::IamError;
use crate::iam::Iam;
use crate::query_id::QueryId;
use crate::secret::{Secret, hex, random};
use crate::view::View;
use crate::write::delete;

/// With each revocation at most so many that are no longer needed are forgotten.
const FORGOTTEN_AT_ONCE: usize = 10;

const MICROSECONDS: i64 = 1_000_000;

/// That a token is used is noted so often, in microseconds.
const NOTED_EVERY: i64 = 5 * MICROSECONDS;

/// What a client asks a token with.
#[derive(Debug)]
pub struct Grant {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the token shall be for.
    pub scope: Option<String>,
    /// Which projects an ID token shall say the roles on, if one is asked for.
    pub projects: Option<ResourceUrn>,
}

/// A token that was given out.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub access_token: Secret,
    /// Seconds.
    pub expires_in: i64,
    /// As it was asked for.
    pub scope: String,
    /// An ID token, where the scope has `openid`.
    pub id_token: Option<Secret>,
}

/// What is known of a token that counts (RFC 7662, section 2.2).
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The URN of the identity.
    pub identity: String,
    /// The account that it belongs to.
    pub account: String,
    /// Whose token it is.
    pub client_id: String,
    /// What it may be used for.
    pub scope: String,
    /// Its identifier.
    pub id: String,
    /// Seconds since 1970.
    pub issued: i64,
    /// Seconds since 1970.
    pub expires: i64,
    /// Whether it is an access token, and not an ID token.
    pub is_access_token: bool,
    /// The roles of today on the projects that an ID token is about.
    pub roles: Option<ProjectRoles>,
}

/// Why a token request is refused (RFC 6749, section 5.2).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No such client, or not its secret; from outside the two look the same.
    #[error("the client does not exist or its secret is wrong")]
    InvalidClient,
    /// The scope is missing, or holds what is not known.
    #[error("the scope must be \"all\", or \"<resource type>/all\" for one type or several")]
    InvalidScope,
    /// What roles were asked for on is no project (RFC 8707, section 2).
    #[error(
        "roles are told on the URN of a project that is registered, as in \
         urn:v1:eu:resource:publicCloudProject:NAME, or with the name pci on all of the account"
    )]
    InvalidTarget,
    /// There are more roles than fit into a header.
    #[error(
        "these are more roles than fit into a token: name one project in the address of the role \
         adapter, or allow the service account less"
    )]
    TooManyRoles,
    /// The client may not do this.
    #[error("{0}")]
    UnauthorizedClient(&'static str),
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] IamError),
}

/// Somebody whose token counts.
pub(crate) struct Recognised {
    pub(crate) principal: Arc<Principal>,
    /// Their account, as it was when the token was found to count.
    pub(crate) home: Arc<View>,
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Iam {
    /// Who a token belongs to, while it counts.
    pub async fn authenticate(&self, token: &str, now: i64) -> Result<Arc<Principal>, IamError> {
        Ok(self.recognise(token, now).await?.principal)
    }

    /// Who a token belongs to, while it counts.
    pub(crate) async fn recognise(&self, token: &str, now: i64) -> Result<Recognised, IamError> {
        if let Some(user) = self.admit_user_token(token, now).await? {
            return Ok(user);
        }
        let principal = self.tokens.verify(token).await?;
        let home = self.admit(&principal, now).await?;
        let verified = principal.access_token()?;
        if verified.noted.load(Ordering::Relaxed) + NOTED_EVERY < now {
            verified.noted.store(now, Ordering::Relaxed);
            self.recorder.used(principal.account(), &verified.client_id, now);
        }
        Ok(Recognised { principal, home })
    }

    /// The one gate for every use of a token: it has not expired, it was not revoked, and its
    /// service account lives. Answers the account as it was found.
    async fn admit(&self, principal: &Principal, now: i64) -> Result<Arc<View>, IamError> {
        let token = principal.access_token()?;
        if token.expires.saturating_mul(MICROSECONDS) <= now {
            return Err(IamError::BadCredential);
        }
        let view = match self.views.get(principal.account()).await {
            Err(IamError::NotFound) => return Err(IamError::BadCredential),
            view => view?,
        };
        if token.admitted.load(Ordering::Relaxed) == view.revision() {
            return Ok(view);
        }
        let client = view.client(&token.client_id);
        if client.is_none_or(|one| one.flow != Flow::ClientCredentials)
            || view.is_revoked(&token.id)
        {
            return Err(IamError::BadCredential);
        }
        token.admitted.store(view.revision(), Ordering::Relaxed);
        Ok(view)
    }

    /// The account of a client that proved to be itself, and how it gets its tokens.
    async fn prove(&self, id: &str, secret: &Secret) -> Result<(Arc<str>, Flow), TokenError> {
        let account = self.views.account_of_client(id).await?;
        let account = account.ok_or(TokenError::InvalidClient)?;
        let view = self.views.get(&account).await?;
        let client = view.client(id).filter(|client| secret.is(&client.secret));
        client.map(|client| (account, client.flow)).ok_or(TokenError::InvalidClient)
    }

    /// Gives a service account a token.
    pub async fn issue(
        &self,
        grant: &Grant,
        (ip, query_id, now): (Option<IpAddr>, QueryId, i64),
    ) -> Result<Issued, TokenError> {
        let proved = self.prove(&grant.client_id, &grant.client_secret).await;
        let region = self.settings.region;
        let about = (ip, query_id, now);
        if let Err(TokenError::InvalidClient) = proved
            && let Some(account) = self.views.account_of_client(&grant.client_id).await?
        {
            let identity = Identity::service_account(region, &account, &grant.client_id);
            self.recorder.asked_token(identity, "", false, about);
        }
        let (account, flow) = proved?;
        if flow != Flow::ClientCredentials {
            let message = "this client acts for people and cannot get a token for itself";
            return Err(TokenError::UnauthorizedClient(message));
        }
        let text = grant.scope.as_deref().unwrap_or_default();
        if text.len() > 1_000 || scope::read(text).is_none() {
            return Err(TokenError::InvalidScope);
        }
        let identity = Identity::service_account(region, &account, &grant.client_id);
        let issued = now / MICROSECONDS;
        let id = hex(&random::<16>()?);
        let claims = Claims {
            iss: &self.tokens.issuer,
            sub: identity.urn(),
            aud: &self.tokens.issuer,
            exp: issued + LIFETIME,
            iat: issued,
            jti: &id,
            client_id: &grant.client_id,
            scope: text,
        };
        let mut id_token = None;
        if wants_id_token(text) {
            let token = self.id_token(claims, grant.projects.as_ref(), now).await?;
            id_token = Some(token.into());
        }
        let token = self.tokens.signing(issued, |key| key.access_token(&claims))?;
        self.recorder.used(&account, &grant.client_id, now);
        self.recorder.asked_token(identity, text, true, about);
        let (access_token, scope) = (token.into(), text.to_owned());
        Ok(Issued { access_token, expires_in: LIFETIME - 1, scope, id_token })
    }

    /// An ID token beside an access token that says the same, but for whom it is.
    async fn id_token(
        &self,
        access: Claims<'_>,
        projects: Option<&ResourceUrn>,
        now: i64,
    ) -> Result<String, TokenError> {
        let (sub, client_id, scope) = (access.sub, access.client_id, access.scope);
        let principal = self.tokens.principal(sub, client_id, scope, Token::None);
        let principal = Arc::new(principal.ok_or(TokenError::InvalidScope)?);
        let roles = match projects {
            Some(projects) => Some(self.project_roles(&principal, projects, now).await?),
            None => None,
        };
        let claims = IdClaims {
            common: Claims { aud: client_id, ..access },
            account: principal.account(),
            resource: projects.map(ResourceUrn::urn),
            roles,
        };
        Ok(self.tokens.signing(access.iat, |key| key.id_token(&claims))?)
    }

    /// What is known of a token; none when it does not count. Any service account may ask.
    pub async fn introspect(
        &self,
        client_id: &str,
        client_secret: &Secret,
        token: &str,
        now: i64,
    ) -> Result<Option<Introspection>, TokenError> {
        self.prove(client_id, client_secret).await?;
        let (found, projects) = match self.look_at(token).await {
            Err(IamError::BadCredential) => return Ok(None),
            found => found?,
        };
        match self.admit(&found, now).await {
            Err(IamError::BadCredential) => return Ok(None),
            admitted => drop(admitted?),
        }
        let token = found.access_token()?;
        let is_access_token = projects.is_none();
        let roles = match projects.flatten() {
            Some(urn) => {
                let target = self.project_target(&urn)?;
                Some(self.project_roles(&found, &target, now).await?)
            }
            None => None,
        };
        Ok(Some(Introspection {
            identity: found.identity.urn().to_owned(),
            account: found.account().to_owned(),
            client_id: token.client_id.to_string(),
            scope: token.scope.to_string(),
            id: token.id.to_string(),
            issued: token.issued,
            expires: token.expires,
            is_access_token,
            roles,
        }))
    }

    /// Reads an access token, or an ID token and which projects it is about, if any.
    async fn look_at(
        &self,
        token: &str,
    ) -> Result<(Arc<Principal>, Option<Option<String>>), IamError> {
        match self.tokens.verify(token).await {
            Err(IamError::BadCredential) => {
                let (found, projects) = self.tokens.verify_id_token(token).await?;
                Ok((Arc::new(found), Some(projects)))
            }
            found => Ok((found?, None)),
        }
    }

    /// Takes a token back before it expires. Only its own client may; a token that does not count
    /// any more needs nothing.
    pub async fn revoke(
        &self,
        client_id: &str,
        client_secret: &Secret,
        token: &str,
        (ip, query_id, now): (Option<IpAddr>, QueryId, i64),
    ) -> Result<(), TokenError> {
        let (account, _) = self.prove(client_id, client_secret).await?;
        let found = match self.tokens.verify(token).await {
            Err(IamError::BadCredential) => return Ok(()),
            found => found?,
        };
        let token = found.access_token()?;
        if *token.client_id != *client_id {
            return Err(TokenError::UnauthorizedClient("the token belongs to another client"));
        }
        let expires = token.expires.saturating_mul(MICROSECONDS);
        let view = self.views.get(&account).await?;
        if expires <= now || view.is_revoked(&token.id) {
            return Ok(());
        }
        let document = serde_json::to_string(&RevokedDocument { expires });
        let document = document.map_err(IamError::from)?;
        let content = Content { document, ..Content::default() };
        let act = Act::Create { content, secret: None };
        let revoked = Change { kind: Kind::RevokedToken, id: token.id.to_string(), act };
        let context = Context { principal: Arc::clone(&found), ip, query_id, now };
        match self.write_in(&account, &context, vec![revoked]).await {
            Ok(()) | Err(StoreError::Taken(Taken::Id)) => {}
            Err(error) => return Err(error.into()),
        }
        let over = view.expired_revocations(now, FORGOTTEN_AT_ONCE);
        let over: Vec<Change> = over.iter().map(|id| delete(Kind::RevokedToken, id)).collect();
        if !over.is_empty()
            && let Err(error) = self.write_in(&account, &context, over).await
        {
            // Another request forgot them, or the next one will.
            tracing::debug!(%error, "expired revocations stay for now");
        }
        Ok(())
    }

    /// The public keys that tokens are checked with, as a JWK set.
    pub fn jwks(&self) -> serde_json::Value {
        self.tokens.jwks()
    }
}
