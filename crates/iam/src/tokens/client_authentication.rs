//! Authenticates clients.

use std::net::IpAddr;

use gatewright_policy::{AccountName, ClientId};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::core::span::record_account;
use crate::engine::view::ClientEntry;
use crate::model::error::IamError;
use crate::model::secret::Secret;
use crate::model::token::TokenError;

/// A rejected client: its account, if there is such a client, and the error.
pub(crate) type RejectedClient = (Option<AccountName>, TokenError);

/// The result of comparing a client's secret.
enum SecretCheck {
    Right(AccountName, ClientEntry),
    Wrong(AccountName),
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

    /// Authenticates a client by its secret; returns its account, and what is held of it.
    pub(crate) async fn authenticate_client(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(AccountName, ClientEntry), TokenError> {
        self.authenticate_or_reject(id, secret, from).await.map_err(|(_, error)| error)
    }

    /// Authenticates a client in the same way. The right secret is never refused for wrong ones,
    /// whose rate is limited for the client and for the network that they come from.
    pub(crate) async fn authenticate_or_reject(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(AccountName, ClientEntry), RejectedClient> {
        let account = match self.check_secret(id, secret).await {
            Ok(SecretCheck::Right(account, client)) => return Ok((account, client)),
            Ok(SecretCheck::Wrong(account)) => Some(account),
            Ok(SecretCheck::NoSuchClient) => None,
            Err(error) => return Err((None, error.into())),
        };
        if let Err(limited) = self.rate_limits.count_client_failure(id, from) {
            return Err((account, limited.into()));
        }
        if account.is_some() {
            // For a client that does not exist, the database was asked: the time must not tell.
            let asked = self.store.object_of_any_account(Kind::Client, id.as_str()).await;
            asked.map_err(|error| (None, error.into()))?;
        }
        Err((account, TokenError::InvalidClient))
    }

    /// Compares the secret of a client.
    async fn check_secret(&self, id: &ClientId, secret: &Secret) -> Result<SecretCheck, IamError> {
        let Some(account) = self.views.account_of_client(id).await? else {
            return Ok(SecretCheck::NoSuchClient);
        };
        let view = self.views.get(&account).await?;
        let client = view.clients.get(id.as_str()).filter(|client| secret.is(&client.secret));
        let Some(client) = client.cloned() else { return Ok(SecretCheck::Wrong(account)) };
        record_account(&account);
        Ok(SecretCheck::Right(account, client))
    }
}
