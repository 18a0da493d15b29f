//! Revokes tokens (RFC 7009).

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{ClientId, Instant};
use gatewright_store::{CauseChain, Change, StoreError, Taken};

use crate::core::iam::Iam;
use crate::engine::revocation_watch::is_long_over;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::token::{RevokedDocument, TokenError};

/// The maximum number of expired revocations that are deleted with each new one.
const FORGOTTEN_AT_ONCE: usize = 10;

impl Iam {
    /// Revokes a token before it expires. Only the client that it was issued to may; a token that
    /// is no longer valid needs no revocation, and succeeds.
    pub async fn revoke(
        &self,
        client_id: &ClientId,
        client_secret: &Secret,
        token: &str,
        (ip, query_id, now): (Option<IpAddr>, QueryId, Instant),
    ) -> Result<(), TokenError> {
        let (client, _) = self.authenticate_client(client_id, client_secret, ip).await?;
        let account = client.account();
        let found = match self.tokens.verify(token).await {
            Err(IamError::BadCredential) => return Ok(()),
            found => found?,
        };
        let token = found.access_token()?;
        if token.client_id != *client_id {
            return Err(TokenError::UnauthorizedClient("the token belongs to another client"));
        }
        let expires = token.expires;
        let view = self.views.get(account).await?;
        let settled = self.sources.settled();
        // By a clock that is ahead it may look over, and be valid once that is right again.
        let is_over = settled.is_some_and(|settled| is_long_over(expires, settled));
        if is_over || view.is_revoked(&token.id) {
            return Ok(());
        }
        let place = self.place(account, token.id.as_str());
        let revoked = RevokedDocument { expires }.create(place, None)?;
        let context =
            Context { principal: Arc::clone(&found), ip, query_id, now, conditions: None };
        match self.commit(account, context.author(), vec![revoked]).await {
            Ok(()) | Err(StoreError::Taken(Taken::Id)) => {}
            Err(error) => return Err(error.into()),
        }
        let times = (settled, self.sources.monotonic());
        let over = self.revocation_watch.take_deletable(&view, times, FORGOTTEN_AT_ONCE);
        let over: Vec<Change> =
            over.iter().map(|id| RevokedDocument::delete(id.as_str())).collect();
        if !over.is_empty()
            && let Err(error) = self.commit(account, context.author(), over).await
        {
            // Another request deleted them, or the next one will.
            tracing::debug!(error = %CauseChain(&error), "expired revocations stay for now");
        }
        Ok(())
    }
}
