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

/// A refused client: its account, if there is such a client, and the error.
pub(crate) type RefusedClient = (Option<AccountName>, TokenError);

impl Iam {
    /// Authenticates a client by its secret, for a request that is answered only once this node
    /// follows a revision.
    pub async fn authenticate_client(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(), TokenError> {
        self.prove(id, secret, from).await.map(drop)
    }

    /// Authenticates a client by its secret; returns its account, and what is held of it.
    pub(crate) async fn prove(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(AccountName, ClientEntry), TokenError> {
        self.prove_or_refuse(id, secret, from).await.map_err(|(_, error)| error)
    }

    /// Authenticates a client in the same way. The right secret is never refused for wrong ones,
    /// whose rate is limited for the client and for the network that they come from.
    pub(crate) async fn prove_or_refuse(
        &self,
        id: &ClientId,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(AccountName, ClientEntry), RefusedClient> {
        let account = match self.find_client(id, secret).await {
            Ok(Ok(proved)) => return Ok(proved),
            Ok(Err(account)) => account,
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

    /// Finds a client whose secret is right; returns the account alone where it is wrong.
    async fn find_client(
        &self,
        id: &ClientId,
        secret: &Secret,
    ) -> Result<Result<(AccountName, ClientEntry), Option<AccountName>>, IamError> {
        let Some(account) = self.views.account_of_client(id).await? else {
            return Ok(Err(None));
        };
        let view = self.views.get(&account).await?;
        let client = view.clients.get(id.as_str()).filter(|client| secret.is(&client.secret));
        let Some(client) = client.cloned() else { return Ok(Err(Some(account))) };
        record_account(&account);
        Ok(Ok((account, client)))
    }
}
