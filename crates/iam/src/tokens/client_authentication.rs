//! Authenticates clients.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::ClientId;
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::engine::view::ClientEntry;
use crate::model::caller::Principal;
use crate::model::error::IamError;
use crate::model::secret::Secret;
use crate::model::token::TokenError;

/// A rejected client: its principal, if there is such a client, and the error.
pub(crate) type RejectedClient = (Option<Arc<Principal>>, TokenError);

/// The result of comparing a client's secret.
enum SecretCheck {
    Right(Arc<Principal>, ClientEntry),
    Wrong(Arc<Principal>),
    NoSuchClient,
}

impl Iam {
    /// Authenticates a client by its secret, for a request that is answered only once this node
    /// follows a revision.
    pub async fn check_client(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(), TokenError> {
        self.authenticate_client(id, secret, from).await.map(drop)
    }

    /// Authenticates a client by its secret; returns its principal, and what is held of it.
    pub(crate) async fn authenticate_client(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(Arc<Principal>, ClientEntry), TokenError> {
        self.authenticate_or_reject(id, secret, from).await.map_err(|(_, error)| error)
    }

    /// Authenticates a client in the same way. The right secret is never refused for wrong ones,
    /// whose rate is limited for the client and for the network that they come from.
    pub(crate) async fn authenticate_or_reject(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(Arc<Principal>, ClientEntry), RejectedClient> {
        let principal = match self.check_secret(id, secret, from).await {
            Ok(SecretCheck::Right(principal, client)) => return Ok((principal, client)),
            Ok(SecretCheck::Wrong(principal)) => Some(principal),
            Ok(SecretCheck::NoSuchClient) => None,
            Err(error) => return Err((None, error.into())),
        };
        if let Err(limited) = self.rate_limits.count_client_failure(id, from) {
            return Err((principal, limited.into()));
        }
        if principal.is_some() {
            // For a client that does not exist, the database was asked: the time must not tell.
            let asked = self.store.object_of_any_account(Kind::Client, id.as_str()).await;
            asked.map_err(|error| (None, error.into()))?;
        }
        Err((principal, TokenError::InvalidClient))
    }

    /// Compares the secret of a client.
    async fn check_secret(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<SecretCheck, IamError> {
        let Some(principal) = self.views.client(id, from).await? else {
            return Ok(SecretCheck::NoSuchClient);
        };
        let view = self.views.get(principal.account()).await?;
        let client = view.clients.get(id.as_str()).filter(|client| secret.is(&client.secret));
        let Some(client) = client.cloned() else { return Ok(SecretCheck::Wrong(principal)) };
        record_account(principal.account());
        Ok(SecretCheck::Right(principal, client))
    }
}
