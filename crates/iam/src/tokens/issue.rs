//! Issues access tokens and ID tokens.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{ClientId, Instant, ResourceUrn};

use crate::core::iam::Iam;
use crate::engine::claims::{Claims, IdClaims};
use crate::engine::recorder::TokenOutcome;
use crate::model::caller::Token;
use crate::model::client::Flow;
use crate::model::query_id::QueryId;
use crate::model::scope;
use crate::model::token::{
    DISABLED, EXPIRES_IN, Grant, Issued, LIFETIME, TokenError, wants_id_token,
};

impl Iam {
    /// Issues a token to a service account.
    pub async fn issue(
        &self,
        grant: &Grant,
        (ip, query_id, now): (Option<IpAddr>, QueryId, Instant),
    ) -> Result<Issued, TokenError> {
        let authenticated =
            self.authenticate_or_reject(&grant.client_id, &grant.client_secret, ip).await;
        let about = (ip, query_id, now);
        // Failures beyond their limit are not written one by one.
        if let Err((Some(principal), TokenError::InvalidClient)) = &authenticated {
            self.recorder.record_token_request(principal, "", TokenOutcome::Refused, about);
        }
        let (principal, client) = authenticated.map_err(|(_, error)| error)?;
        self.rate_limits.admit_token_request(&principal)?;
        if !client.enabled {
            return Err(TokenError::UnauthorizedClient(DISABLED));
        }
        if client.flow != Flow::ClientCredentials {
            let message = "this client acts for people and cannot get a token for itself";
            return Err(TokenError::UnauthorizedClient(message));
        }
        let text = grant.scope.as_deref().unwrap_or_default();
        if text.len() > 1_000 || scope::read(text).is_none() {
            return Err(TokenError::InvalidScope);
        }
        // The dates of a token are in whole seconds. One of the second in which the client was
        // enabled again does not count. Its expiry does not depend on that: the client may have been
        // enabled by a clock that was ahead.
        let enabled = client.enabled_at.map_or(i64::MIN, |at| at.seconds().saturating_add(1));
        let issued = Instant::from_seconds(now.seconds().max(enabled));
        let id = hex::encode(self.sources.bytes::<16>()?);
        let claims = Claims {
            iss: &self.tokens.issuer,
            sub: principal.identity.urn(),
            aud: &self.tokens.issuer,
            exp: now.saturating_add(LIFETIME).seconds(),
            iat: issued.seconds(),
            jti: &id,
            client_id: grant.client_id.as_str(),
            scope: text,
        };
        let mut id_token = None;
        if wants_id_token(text) {
            let token = self.id_token(claims, grant.projects.as_ref(), (query_id, now)).await?;
            id_token = Some(token.into());
        }
        let token = self.tokens.signing(issued, |key| key.access_token(&claims))?;
        self.recorder.record_use(principal.account(), grant.client_id.as_str(), now);
        self.recorder.record_token_request(&principal, text, TokenOutcome::Issued, about);
        let (access_token, scope) = (token.into(), text.to_owned());
        Ok(Issued { access_token, expires_in: EXPIRES_IN, scope, id_token })
    }

    /// Issues an ID token with the claims of an access token, but for its audience.
    async fn id_token(
        &self,
        access: Claims<'_>,
        projects: Option<&ResourceUrn>,
        (query_id, now): (QueryId, Instant),
    ) -> Result<String, TokenError> {
        let (sub, client_id, scope) = (access.sub, access.client_id, access.scope);
        let principal = self.tokens.principal(sub, &ClientId::new(client_id), scope, Token::None);
        let principal = Arc::new(principal.ok_or(TokenError::InvalidScope)?);
        let roles = match projects {
            Some(projects) => {
                Some(self.project_roles(&principal, projects, (query_id, now)).await?)
            }
            None => None,
        };
        let claims = IdClaims {
            common: Claims { aud: client_id, ..access },
            account: principal.account().as_str(),
            resource: projects.map(ResourceUrn::urn),
            roles,
        };
        Ok(self.tokens.signing(Instant::from_seconds(access.iat), |key| key.id_token(&claims))?)
    }
}
