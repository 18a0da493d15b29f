//! Taking tokens back (RFC 7009).

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::Instant;
use gatewright_store::{Act, Change, Content, Kind, StoreError, Taken};

use crate::core::iam::Iam;
use crate::core::write::delete;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::token::{RevokedDocument, TokenError};

/// With each revocation at most so many that are no longer needed are forgotten.
const FORGOTTEN_AT_ONCE: usize = 10;

impl Iam {
    /// Takes a token back before it expires. Only its own client may; a token that does not count
    /// any more needs nothing.
    pub async fn revoke(
        &self,
        client_id: &str,
        client_secret: &Secret,
        token: &str,
        (ip, query_id, now): (Option<IpAddr>, QueryId, Instant),
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
        let expires = token.expires;
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
}
