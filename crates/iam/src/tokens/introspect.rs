//! Introspects tokens (RFC 7662), and publishes the keys that verify them.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{ClientId, Instant};

use crate::core::iam::Iam;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::rights;
use crate::model::secret::Secret;
use crate::model::token::{DISABLED, Introspection, TokenError};

impl Iam {
    /// Introspects a token; none when it is not active, or when the client may not know: it may about
    /// its own, by a right about those of its account, and a registrar by that right about all.
    pub async fn introspect(
        &self,
        client_id: &ClientId,
        client_secret: &Secret,
        token: &str,
        (ip, query_id, now): (Option<IpAddr>, QueryId, Instant),
    ) -> Result<Option<Introspection>, TokenError> {
        let (caller, client) = self.authenticate_client(client_id, client_secret, ip).await?;
        if !client.enabled {
            return Err(TokenError::UnauthorizedClient(DISABLED));
        }
        self.rate_limits.admit_decision(&caller)?;
        let (found, projects) = match self.verify_any_token(token).await {
            Err(IamError::BadCredential) => return Ok(None),
            found => found?,
        };
        match self.admit(&found, now).await {
            Err(IamError::BadCredential) => return Ok(None),
            admitted => drop(admitted?),
        }
        if !self.may_introspect((&caller, client_id), &found, (query_id, now)).await? {
            return Ok(None);
        }
        let token = found.access_token()?;
        let is_access_token = projects.is_none();
        let roles = match projects.flatten() {
            Some(urn) => {
                let target = self.project_target(&urn)?;
                Some(self.project_roles(&found, &target, (query_id, now)).await?)
            }
            None => None,
        };
        Ok(Some(Introspection {
            identity: found.identity.urn().to_owned(),
            account: found.account().to_owned(),
            client_id: token.client_id.clone(),
            scope: token.scope.to_string(),
            id: token.id.clone(),
            issued: token.issued,
            expires: token.expires,
            is_access_token,
            roles,
        }))
    }

    /// Returns whether a client may know about a token.
    async fn may_introspect(
        &self,
        (caller, client_id): (&Arc<Principal>, &ClientId),
        found: &Principal,
        (query_id, now): (QueryId, Instant),
    ) -> Result<bool, IamError> {
        if found.access_token()?.client_id == *client_id {
            return Ok(true);
        }
        let account = caller.account();
        if found.account() != account && !self.settings.registrars.contains(account) {
            return Ok(false);
        }
        let principal = Arc::clone(caller);
        let context = Context { principal, ip: None, query_id, now, conditions: None };
        self.has_right(&context, rights::TOKEN_INTROSPECT).await
    }

    /// Verifies an access token, or an ID token with the projects that it is about, if any.
    async fn verify_any_token(
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

    /// Returns the public keys that verify tokens, as a JWK set.
    pub fn jwks(&self) -> serde_json::Value {
        self.tokens.jwks()
    }
}
